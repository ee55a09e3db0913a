using System.Buffers;
using System.IO.Pipelines;

namespace EdgeNode.Streaming;

/// <summary>A part or a whole segment on its way to one viewer: holds the pictures until it is disposed.</summary>
public sealed class MediaBody : IDisposable
{
    // Kestrel's pipe holds writers back above 64 KiB; a flush before that keeps one viewer's copy small.
    private const int FlushBytes = 48 * 1024;

    private readonly Part[] _parts;
    private int _disposed;

    private MediaBody(Part[] parts)
    {
        _parts = parts;
        foreach (Part part in parts)
            TotalBytes += part.TotalBytes;
    }

    /// <summary>Content-Length.</summary>
    public long TotalBytes { get; }

    /// <summary>Holds the parts; null when one of them is gone.</summary>
    internal static MediaBody? TryHold(IReadOnlyList<Part> parts)
    {
        var held = new Part[parts.Count];
        for (int i = 0; i < held.Length; i++)
        {
            if (parts[i].TryAcquire())
            {
                held[i] = parts[i];
                continue;
            }

            while (--i >= 0)
                held[i].Release();
            return null;
        }

        return new MediaBody(held);
    }

    /// <summary>Writes everything at once.</summary>
    public void WriteTo(IBufferWriter<byte> writer)
    {
        foreach (Part part in _parts)
        {
            for (int i = 0; i < part.ChunkCount; i++)
                writer.Write(part.Chunk(i));
        }
    }

    /// <summary>Writes to a response, flushing as it goes, so that a slow viewer costs no second copy of the media.</summary>
    public ValueTask WriteToAsync(PipeWriter writer, CancellationToken cancellation) => WriteToAsync(writer, 0, TotalBytes, cancellation);

    /// <summary>Writes <paramref name="bytes"/> bytes from <paramref name="skip"/> on, in the same way.</summary>
    public async ValueTask WriteToAsync(PipeWriter writer, long skip, long bytes, CancellationToken cancellation)
    {
        int unflushed = 0;
        foreach (Part part in _parts)
        {
            for (int chunk = 0; chunk < part.ChunkCount; chunk++)
            {
                int length = part.Chunk(chunk).Length;
                int begin = (int)Math.Min(skip, length);
                skip -= begin;
                length = (int)Math.Min(length, begin + bytes);
                bytes -= length - begin;
                for (int offset = begin; offset < length;)
                {
                    int count = Math.Min(length - offset, FlushBytes - unflushed);
                    writer.Write(part.Chunk(chunk).Slice(offset, count));
                    offset += count;
                    unflushed += count;
                    if (unflushed < FlushBytes)
                        continue;
                    unflushed = 0;
                    FlushResult result = await writer.FlushAsync(cancellation).ConfigureAwait(false);
                    if (result.IsCompleted || result.IsCanceled)
                        return;
                }
            }
        }

        await writer.FlushAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Lets go of the pictures.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (Part part in _parts)
            part.Release();
    }
}
