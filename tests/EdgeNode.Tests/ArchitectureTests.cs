using System.Text.RegularExpressions;

namespace EdgeNode.Tests;

/// <summary>
/// Holds the tree to its map: a room imports only rooms above it, and unsafe code and native calls live in
/// EdgeNode.Native alone.
/// </summary>
public sealed partial class ArchitectureTests
{
    /// <summary>The map: every folder of src/EdgeNode, in the order in which data flows.</summary>
    private static readonly (string Room, string Holds)[] Map =
    [
        ("Configuration", "the file, its schema, reload"),
        ("Storage", "database, migrations, vault (encryption at rest), retention"),
        ("Access", "tokens, JWKS, roles, revocations"),
        ("Ingest", "RTSP and file sources, timestamp repair, GopBuffer"),
        ("Decoding", "the ladder of decoders, its watch, scaling"),
        ("Motion", "the gate"),
        ("Faces", "model packs, detect, align, embed, liveness, track, best shot, inference scheduler"),
        ("Gallery", "identities, search, enrolment"),
        ("Events", "face events, event log, snapshots"),
        ("Streaming", "packager, fMP4, playlists, sessions, timed metadata"),
        ("Cameras", "one camera wires the rooms above together; supervisor; states"),
        ("Board", "probe, GPIO, thermal, watchdog"),
        ("Telemetry", "outbox, MQTT link, topics, health, commands, site gallery, Home Assistant, webhooks"),
        ("Http", "one file a group of routes"),
        ("Web", "the pages, embedded at publish"),
        ("Commands", "one file a command; Program.cs lists them"),
    ];

    /// <summary>The room below all of them, an assembly of its own: every unsafe line (FFmpeg, Linux).</summary>
    private const string Native = "Native";

    [Fact]
    public void Every_room_imports_only_rooms_above_it()
    {
        IEnumerable<string> wrong = SourceFiles().SelectMany(file => WrongArrows(file.Path, file.Text));
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_source_file_stands_in_a_room_of_the_map_and_its_namespace_says_so()
    {
        IEnumerable<string> wrong = SourceFiles().SelectMany(file => Misplacements(file.Path, file.Text));
        Assert.Empty(wrong);
    }

    [Fact]
    public void Unsafe_code_and_native_calls_live_in_EdgeNode_Native_alone()
    {
        IEnumerable<string> wrong = SourceFiles().SelectMany(file => UnsafeLines(file.Path, file.Text))
            .Concat(ProjectFiles().SelectMany(file => UnsafePermissions(file.Path, file.Text)));
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("src/EdgeNode/Streaming/Packager.cs", "using EdgeNode.Cameras;")]
    [InlineData("src/EdgeNode/Ingest/Rtsp/Client.cs", "using EdgeNode.Http.Live;")]
    [InlineData("src/EdgeNode/Ingest/Rtsp/Client.cs", "global using static EdgeNode.Board.Probe;")]
    [InlineData("src/EdgeNode/Faces/Tracker.cs", "using Person = EdgeNode.Gallery.Identity;")]
    [InlineData("src/EdgeNode/Motion/Gate.cs", "    EdgeNode.Events.FaceEvent? last = null; // EdgeNode.Ingest is fine")]
    [InlineData("src/EdgeNode/Motion/Gate.cs", "using EdgeNode.Utils;")]
    [InlineData("src/EdgeNode.Native/FFmpeg/Packet.cs", "using EdgeNode.Ingest;")]
    public void An_arrow_downwards_is_found(string path, string line)
        => Assert.Single(WrongArrows(path, line));

    [Theory]
    [InlineData("src/EdgeNode/Cameras/Camera.cs", "using EdgeNode.Streaming;\nusing EdgeNode.Native.FFmpeg;")]
    [InlineData("src/EdgeNode/Ingest/Rtsp/Client.cs", "using EdgeNode.Ingest.H264;\n/// <see cref=\"EdgeNode.Http.Live\"/>\n// EdgeNode.Web")]
    [InlineData("src/EdgeNode/Program.cs", "using EdgeNode.Commands;")]
    [InlineData("src/EdgeNode.Native/FFmpeg/Packet.cs", "using EdgeNode.Native.Memory;")]
    public void An_arrow_upwards_or_a_word_in_a_comment_is_none(string path, string text)
        => Assert.Empty(WrongArrows(path, text));

    [Theory]
    [InlineData("src/EdgeNode/Utils/Strings.cs", "namespace EdgeNode.Utils;")]
    [InlineData("src/EdgeNode/Ingest/Clock.cs", "namespace EdgeNode.Streaming;")]
    [InlineData("src/EdgeNode/Ingest/Clock.cs", "namespace EdgeNode;")]
    public void A_file_in_the_wrong_place_is_found(string path, string text)
        => Assert.Single(Misplacements(path, text));

    [Theory]
    [InlineData("src/EdgeNode/Ingest/Reader.cs", "public sealed unsafe class Reader;")]
    [InlineData("src/EdgeNode/Board/Clock.cs", "[LibraryImport(\"libc\")] static partial int f();")]
    [InlineData("src/EdgeNode/Board/Clock.cs", "[DllImport(\"libc\")] static extern int f();")]
    public void Unsafe_code_elsewhere_is_found(string path, string text)
        => Assert.Single(UnsafeLines(path, text));

    [Theory]
    [InlineData("src/EdgeNode.Native/Linux/Clock.cs", "public static unsafe class Clock;")]
    [InlineData("src/EdgeNode/Ingest/Reader.cs", "// nothing unsafe here")]
    public void Unsafe_code_in_its_own_place_or_in_words_is_none(string path, string text)
        => Assert.Empty(UnsafeLines(path, text));

    [Fact]
    public void A_project_elsewhere_that_allows_unsafe_code_is_found()
    {
        const string Allowed = "<AllowUnsafeBlocks>true</AllowUnsafeBlocks>";
        Assert.Single(UnsafePermissions("src/EdgeNode/EdgeNode.csproj", Allowed));
        Assert.Single(UnsafePermissions("Directory.Build.props", Allowed));
        Assert.Empty(UnsafePermissions("src/EdgeNode.Native/EdgeNode.Native.csproj", Allowed));
    }

    private static IEnumerable<string> WrongArrows(string path, string text)
    {
        int from = PlaceOf(RoomOf(path));
        foreach (Match mention in Mention().Matches(WithoutComments(text)))
        {
            string room = mention.Groups["room"].Value;
            int to = PlaceOf(room);
            if (to < 0 && room != Native)
                yield return $"{path} imports EdgeNode.{room}, which is no room of the map";
            else if (to > from)
                yield return $"{path} imports EdgeNode.{room}, which lies below it";
        }
    }

    private static IEnumerable<string> Misplacements(string path, string text)
    {
        string room = RoomOf(path);
        if (room.Length > 0 && room != Native && PlaceOf(room) < 0)
            yield return $"{path} stands in {room}, which is no room of the map";

        string expected = room.Length == 0 ? "EdgeNode" : $"EdgeNode.{room}";
        Match declared = Namespace().Match(WithoutComments(text));
        if (declared.Success && declared.Value is var found && found != expected && !found.StartsWith(expected + ".", StringComparison.Ordinal))
            yield return $"{path} declares {found}, not {expected}";
    }

    private static IEnumerable<string> UnsafeLines(string path, string text)
        => path.StartsWith("src/EdgeNode.Native/", StringComparison.Ordinal)
            ? []
            : WithoutComments(text).Split('\n').Where(line => Unsafe().IsMatch(line)).Select(line => $"{path}: {line.Trim()}");

    private static IEnumerable<string> UnsafePermissions(string path, string text)
    {
        if (!path.StartsWith("src/EdgeNode.Native/", StringComparison.Ordinal) && text.Contains("<AllowUnsafeBlocks>true", StringComparison.OrdinalIgnoreCase))
            yield return $"{path} allows unsafe code";
    }

    /// <summary>The room a file stands in: a folder of src/EdgeNode, <see cref="Native"/>, or empty for src/EdgeNode itself.</summary>
    private static string RoomOf(string path)
    {
        string[] parts = path.Split('/');
        return parts[1] == "EdgeNode.Native" ? Native : parts.Length > 3 ? parts[2] : "";
    }

    /// <summary>Place in the map: its index; below all for the root, which may import everything; -1 for what is not in it.</summary>
    private static int PlaceOf(string room)
        => room.Length == 0 ? int.MaxValue : Array.FindIndex(Map, entry => entry.Room == room);

    private static string WithoutComments(string text) => Comment().Replace(text, "");

    private static IEnumerable<(string Path, string Text)> SourceFiles()
    {
        (string Path, string Text)[] files = [.. Files("*.cs").Where(file => file.Path.StartsWith("src/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        return files;
    }

    private static IEnumerable<(string Path, string Text)> ProjectFiles() => Files("*.csproj").Concat(Files("*.props"));

    private static IEnumerable<(string Path, string Text)> Files(string pattern)
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "EdgeNode.sln")))
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("The tests do not run from within the repository.");

        IEnumerable<string> folders = [Path.Combine(root, "src"), Path.Combine(root, "tests")];
        return folders.SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(root, pattern))
            .Select(file => (Path: Path.GetRelativePath(root, file).Replace('\\', '/'), Full: file))
            .Where(file => !file.Path.Contains("/obj/", StringComparison.Ordinal) && !file.Path.Contains("/bin/", StringComparison.Ordinal))
            .Select(file => (file.Path, File.ReadAllText(file.Full)));
    }

    /// <summary>A room by its full name: in a using line, or written out in code.</summary>
    [GeneratedRegex(@"(?<!\w|\.|namespace\s)(?<!"")EdgeNode\.(?<room>[A-Z]\w*)")]
    private static partial Regex Mention();

    [GeneratedRegex(@"(?<=^\s*namespace\s+)[\w.]+", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bunsafe\b|\bLibraryImport\b|\bDllImport\b")]
    private static partial Regex Unsafe();

    /// <summary>Comments to the line's end and block comments; a '//' within a string (a URL) is left alone.</summary>
    [GeneratedRegex(@"(?<![:""/])//.*|/\*[\s\S]*?\*/")]
    private static partial Regex Comment();
}
