using EdgeNode.Decoding;
using EdgeNode.Ingest;

namespace EdgeNode.Cameras;

/// <summary>A camera's picture as a JPEG file, and when it was taken, UTC.</summary>
public sealed record SnapshotPicture(byte[] Jpeg, DateTime CapturedAt)
{
    internal long Pts { get; init; }
}

/// <summary>
/// The newest keyframe as a JPEG: decoded when somebody asks, kept until the next keyframe, so that it is cheap however
/// many ask. Two cameras at a time are decoded in the whole node. Thread-safe.
/// </summary>
public sealed class KeyframeSnapshot(GopBuffer gop)
{
    /// <summary>The longer side of a snapshot at most, pixels.</summary>
    public const int SideAtMost = 1920;

    /// <summary>Bytes of a snapshot at most.</summary>
    public const int BytesAtMost = 1 << 20;

    private static readonly SemaphoreSlim Decoders = new(2);
    private readonly SemaphoreSlim _gate = new(1);
    private volatile SnapshotPicture? _newest;

    /// <summary>The newest picture; null when the camera has given none.</summary>
    /// <exception cref="DecodeException">It cannot be decoded; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public async Task<SnapshotPicture?> TakeAsync(CancellationToken stop)
    {
        AccessUnit? key = gop.TakeNewestKey();
        if (key is null)
            return null;
        try
        {
            if (IsOf(_newest, key))
                return _newest;
            await _gate.WaitAsync(stop);
            try
            {
                if (IsOf(_newest, key))
                    return _newest;
                await Decoders.WaitAsync(stop);
                try
                {
                    return _newest = await Task.Run(() => new SnapshotPicture(Decode(key), key.CapturedAt) { Pts = key.Pts }, CancellationToken.None);
                }
                finally
                {
                    Decoders.Release();
                }
            }
            finally
            {
                _gate.Release();
            }
        }
        finally
        {
            key.Release();
        }
    }

    /// <summary>A keyframe as a JPEG.</summary>
    /// <exception cref="DecodeException">It cannot be decoded; the message says why.</exception>
    internal static byte[] Decode(AccessUnit key)
    {
        using var decoder = new SoftwareDecoder(key.Format);
        decoder.Send(key);
        decoder.Drain();
        return decoder.TryReceive(out DecodedPicture picture)
            ? JpegPicture.Encode(picture.Pixels, SideAtMost, BytesAtMost)
            : throw new DecodeException("The camera's keyframe gives no picture by itself.");
    }

    private static bool IsOf(SnapshotPicture? picture, AccessUnit key) => picture is not null && picture.Pts == key.Pts && picture.CapturedAt == key.CapturedAt;
}
