using System.Runtime.InteropServices;
using EdgeNode.Native.Memory;

namespace EdgeNode.Native.FFmpeg;

/// <summary>An AVPacket: one coded picture as libavformat gives it or libavcodec takes it. Reused; one thread at a time.</summary>
public sealed unsafe class Packet : SafeHandle
{
    /// <summary>AV_NOPTS_VALUE: no timestamp is known.</summary>
    public const long NoTimestamp = long.MinValue;

    private const int FlagKey = 1;
    private const int FlagCorrupt = 2;
    private const int BufferReadOnly = 1;
    private const int NewExtradata = 1;

    private readonly FFmpegLayout _layout;

    /// <summary>An empty packet.</summary>
    /// <exception cref="FFmpegException">FFmpeg is missing.</exception>
    public Packet()
        : base(0, ownsHandle: true)
    {
        _layout = FFmpegLibrary.Layout;
        SetHandle((nint)LibAv.av_packet_alloc());
        if (IsInvalid)
            throw new OutOfMemoryException();
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The coded bytes. Valid until the packet is filled anew or cleared.</summary>
    public ReadOnlySpan<byte> Data => new(*(byte**)(Pointer + _layout.PacketData), *(int*)(Pointer + _layout.PacketSize));

    /// <summary>Presentation time in the stream's time base, or <see cref="NoTimestamp"/>.</summary>
    public long Pts => *(long*)(Pointer + _layout.PacketPts);

    /// <summary>Decoding time in the stream's time base, or <see cref="NoTimestamp"/>.</summary>
    public long Dts => *(long*)(Pointer + _layout.PacketDts);

    /// <summary>Duration in the stream's time base, 0 when not known.</summary>
    public long Duration => *(long*)(Pointer + _layout.PacketDuration);

    /// <summary>Which stream it belongs to.</summary>
    public int StreamIndex => *(int*)(Pointer + _layout.PacketStream);

    /// <summary>The demuxer calls it a keyframe.</summary>
    public bool IsKey => (*(int*)(Pointer + _layout.PacketFlags) & FlagKey) != 0;

    /// <summary>The demuxer found it damaged.</summary>
    public bool IsCorrupt => (*(int*)(Pointer + _layout.PacketFlags) & FlagCorrupt) != 0;

    /// <summary>New extradata that comes with this packet (AV_PKT_DATA_NEW_EXTRADATA), or nothing.</summary>
    public ReadOnlySpan<byte> NewParameters
    {
        get
        {
            nuint size = 0;
            byte* data = LibAv.av_packet_get_side_data(Pointer, NewExtradata, &size);
            return data == null ? default : new ReadOnlySpan<byte>(data, checked((int)size));
        }
    }

    internal byte* Pointer => (byte*)handle;

    /// <summary>
    /// Fills the packet with <paramref name="memory"/>'s first <paramref name="length"/> bytes without copying: FFmpeg holds a reference
    /// to the memory until it has done with it. The bytes behind the length are to be zero (<see cref="PacketMemory.ClearPadding"/>).
    /// </summary>
    public void Refer(PacketMemory memory, int length, long pts, long dts)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)memory.Capacity);
        Clear();
        memory.AddReference();
        GCHandle owner = GCHandle.Alloc(memory);
        void* buffer = LibAv.av_buffer_create(memory.Pointer, (nuint)length + PacketMemory.Padding, &ReleaseMemory, (void*)GCHandle.ToIntPtr(owner), BufferReadOnly);
        if (buffer == null)
        {
            owner.Free();
            memory.Release();
            throw new OutOfMemoryException();
        }

        *(void**)(Pointer + _layout.PacketBuffer) = buffer;
        *(byte**)(Pointer + _layout.PacketData) = memory.Pointer;
        *(int*)(Pointer + _layout.PacketSize) = length;
        *(long*)(Pointer + _layout.PacketPts) = pts;
        *(long*)(Pointer + _layout.PacketDts) = dts;
    }

    /// <summary>Lets go of what the packet holds.</summary>
    public void Clear() => LibAv.av_packet_unref(Pointer);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        byte* packet = Pointer;
        LibAv.av_packet_free(&packet);
        return true;
    }

    [UnmanagedCallersOnly]
    private static void ReleaseMemory(void* opaque, byte* data)
    {
        GCHandle owner = GCHandle.FromIntPtr((nint)opaque);
        var memory = (PacketMemory)owner.Target!;
        owner.Free();
        memory.Release();
    }
}
