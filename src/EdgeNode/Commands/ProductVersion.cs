using System.Reflection;

namespace EdgeNode.Commands;

/// <summary>The version of this build.</summary>
internal static class ProductVersion
{
    /// <summary>The version, with the commit where the build knew it: <c>0.1.0+abcdef</c>.</summary>
    public static string Text { get; } = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The version alone: <c>0.1.0</c>.</summary>
    public static string Number { get; } = Text.Split('+')[0];
}
