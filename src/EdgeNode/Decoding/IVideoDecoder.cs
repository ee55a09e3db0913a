using EdgeNode.Ingest;

namespace EdgeNode.Decoding;

/// <summary>Turns access units into pictures. One thread at a time; made for one <see cref="VideoFormat"/>.</summary>
public interface IVideoDecoder : IDisposable
{
    /// <summary>What decodes, for health: such as <c>software</c>.</summary>
    string Name { get; }

    /// <summary>Leave out pictures that no other refers to: they are neither decoded nor returned.</summary>
    bool SkipNonReference { get; set; }

    /// <summary>Feeds one access unit, in decoding order. Read all pictures with <see cref="TryReceive"/> before the next.</summary>
    /// <exception cref="DecodeException">The unit cannot be decoded; go on from the next keyframe.</exception>
    void Send(AccessUnit unit);

    /// <summary>Says that no more access units come, so that the pictures held back for reordering come out.</summary>
    void Drain();

    /// <summary>Forgets all pictures in flight, to begin again at a keyframe.</summary>
    void Flush();

    /// <summary>The next picture in presentation order; false when the decoder needs more. Valid until the next call of the decoder.</summary>
    bool TryReceive(out DecodedPicture picture);
}

/// <summary>One decoded picture; its pixels lie in the decoder and live until the decoder's next call.</summary>
public readonly ref struct DecodedPicture
{
    /// <summary>The pixels.</summary>
    public required Yuv420View Pixels { get; init; }

    /// <summary>Presentation time of its access unit, 90 kHz ticks.</summary>
    public required long Pts { get; init; }

    /// <summary>The decoder itself reports errors in it: show it, but do not judge a face by it.</summary>
    public required bool IsDamaged { get; init; }
}

/// <summary>A decoder that cannot be opened or an access unit that it cannot take.</summary>
public sealed class DecodeException(string message) : Exception(message);
