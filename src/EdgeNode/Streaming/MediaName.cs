using System.Globalization;

namespace EdgeNode.Streaming;

/// <summary>What a relative URI of a media playlist asks for.</summary>
public enum MediaKind
{
    /// <summary><c>init-1.mp4</c>: <see cref="MediaName.Number"/> is its version.</summary>
    Initialization,

    /// <summary><c>seg-12.m4s</c>: <see cref="MediaName.Number"/> is its Media Sequence Number.</summary>
    Segment,

    /// <summary><c>part-12-3.m4s</c>: part <see cref="MediaName.Part"/> of segment <see cref="MediaName.Number"/>.</summary>
    Part,
}

/// <summary>The names of a live stream's media, as playlists write them.</summary>
public readonly record struct MediaName(MediaKind Kind, long Number, int Part, MediaTrack Track = MediaTrack.Video)
{
    /// <summary>What the names of the sound's media begin with.</summary>
    public const string AudioPrefix = "a-";

    /// <summary>Reads a name; false for any other.</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out MediaName media)
    {
        if (name.StartsWith(AudioPrefix) && TryParse(name[AudioPrefix.Length..], out media) && media.Track == MediaTrack.Video)
        {
            media = media with { Track = MediaTrack.Audio };
            return true;
        }

        media = default;
        if (name.StartsWith("init-") && name.EndsWith(".mp4") && TryNumber(name[5..^4], out int version))
        {
            media = new MediaName(MediaKind.Initialization, version, 0);
            return true;
        }

        if (!name.EndsWith(".m4s"))
            return false;
        name = name[..^4];
        if (name.StartsWith("seg-") && TryNumber(name[4..], out long segment))
        {
            media = new MediaName(MediaKind.Segment, segment, 0);
            return true;
        }

        if (!name.StartsWith("part-"))
            return false;
        name = name[5..];
        int dash = name.IndexOf('-');
        if (dash < 0 || !TryNumber(name[..dash], out long sequence) || !TryNumber(name[(dash + 1)..], out int part))
            return false;
        media = new MediaName(MediaKind.Part, sequence, part);
        return true;
    }

    // Digits only and no leading zero: one name for one thing, as caches key on it.
    private static bool TryNumber<T>(ReadOnlySpan<char> text, out T number)
        where T : struct, System.Numerics.IBinaryInteger<T>
    {
        number = default;
        return text.Length > 0 && (text[0] != '0' || text.Length == 1) && T.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
