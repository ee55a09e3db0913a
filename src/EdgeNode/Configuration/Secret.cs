namespace EdgeNode.Configuration;

/// <summary>A password or key that cannot be printed or serialised by accident.</summary>
public sealed class Secret(string value)
{
    /// <summary>The value itself, for the one who must send it.</summary>
    public string Reveal() => value;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
