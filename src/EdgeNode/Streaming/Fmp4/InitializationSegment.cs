using EdgeNode.Ingest;

namespace EdgeNode.Streaming.Fmp4;

/// <summary>
/// The Media Initialization Section of one <see cref="VideoFormat"/> or <see cref="AudioFormat"/> (RFC 8216bis §3.1.1): ftyp and a moov
/// of one avc1, hvc1 or mp4a track without samples. Immutable, numbered: a camera that changes its parameters gets the next number.
/// </summary>
public sealed class InitializationSegment
{
    /// <summary>Id of the only track.</summary>
    public const uint TrackId = 1;

    /// <summary>Ticks a second of a video track's timeline: those of <see cref="AccessUnit"/>.</summary>
    public const uint Timescale = AccessUnit.TicksPerSecond;

    /// <summary>Makes the section for an H.264 or H.265 format.</summary>
    /// <exception cref="NotSupportedException">The format is another, or lacks its parameters.</exception>
    public InitializationSegment(int version, VideoFormat format)
    {
        if (!IsSupported(format))
            throw new NotSupportedException("Live view packages H.264 and H.265 only: set the camera's encoder to one of them.");
        Version = version;
        Format = format;
        using var writer = new Mp4BoxWriter();
        WriteFileType(writer);
        WriteMovie(writer, format, null, Timescale);
        Bytes = writer.Written.ToArray();
    }

    /// <summary>Makes the section for an AAC format; its timeline counts samples of the core (<see cref="Ingest.Aac.AudioSpecificConfig.CoreRate"/>).</summary>
    public InitializationSegment(int version, AudioFormat format)
    {
        Version = version;
        Audio = format;
        using var writer = new Mp4BoxWriter();
        WriteFileType(writer);
        WriteMovie(writer, null, format, (uint)Ingest.Aac.AudioSpecificConfig.Parse(format.DecoderConfiguration).CoreRate);
        Bytes = writer.Written.ToArray();
    }

    /// <summary>The number in its URI, from 1.</summary>
    public int Version { get; }

    /// <summary>The format it describes; null for sound.</summary>
    public VideoFormat? Format { get; }

    /// <summary>The format of the sound that it describes; null for video.</summary>
    public AudioFormat? Audio { get; }

    /// <summary>The whole section.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Whether a section can be made for the format.</summary>
    public static bool IsSupported(VideoFormat format) =>
        format.Codec is VideoCodec.H264 or VideoCodec.H265 && format.DecoderConfiguration.Length > 0 &&
        format.Width is > 0 and <= ushort.MaxValue && format.Height is > 0 and <= ushort.MaxValue;

    private static void WriteFileType(Mp4BoxWriter w)
    {
        int ftyp = w.Begin("ftyp"u8);
        w.Bytes("iso6"u8);
        w.UInt32(0);
        w.Bytes("iso6mp41"u8);
        w.End(ftyp);
    }

    private static void WriteMovie(Mp4BoxWriter w, VideoFormat? format, AudioFormat? audio, uint timescale)
    {
        int moov = w.Begin("moov"u8);
        int mvhd = w.Begin("mvhd"u8, 0, 0);
        w.Zeroes(8); // creation, modification
        w.UInt32(timescale);
        w.UInt32(0); // duration: in the fragments
        w.UInt32(0x00010000); // rate 1.0
        w.UInt16(0x0100); // volume
        w.Zeroes(10);
        WriteUnityMatrix(w);
        w.Zeroes(24);
        w.UInt32(TrackId + 1);
        w.End(mvhd);
        WriteTrack(w, format, audio, timescale);
        int mvex = w.Begin("mvex"u8);
        int trex = w.Begin("trex"u8, 0, 0);
        w.UInt32(TrackId);
        w.UInt32(1); // sample description
        w.Zeroes(12); // durations, sizes and flags stand in each trun
        w.End(trex);
        w.End(mvex);
        w.End(moov);
    }

    private static void WriteTrack(Mp4BoxWriter w, VideoFormat? format, AudioFormat? audio, uint timescale)
    {
        int trak = w.Begin("trak"u8);
        int tkhd = w.Begin("tkhd"u8, 0, 3); // enabled, in the movie
        w.Zeroes(8);
        w.UInt32(TrackId);
        w.Zeroes(8); // reserved, duration
        w.Zeroes(12); // reserved, layer, group
        w.UInt16(audio is null ? (ushort)0 : (ushort)0x0100); // volume
        w.UInt16(0);
        WriteUnityMatrix(w);
        w.UInt32((uint)(format?.Width ?? 0) << 16);
        w.UInt32((uint)(format?.Height ?? 0) << 16);
        w.End(tkhd);

        int mdia = w.Begin("mdia"u8);
        int mdhd = w.Begin("mdhd"u8, 0, 0);
        w.Zeroes(8);
        w.UInt32(timescale);
        w.UInt32(0);
        w.UInt16(0x55C4); // 'und'
        w.UInt16(0);
        w.End(mdhd);
        int hdlr = w.Begin("hdlr"u8, 0, 0);
        w.UInt32(0);
        w.Bytes(audio is null ? "vide"u8 : "soun"u8);
        w.Zeroes(12);
        w.Bytes(audio is null ? "video\0"u8 : "sound\0"u8);
        w.End(hdlr);

        int minf = w.Begin("minf"u8);
        int header = audio is null ? w.Begin("vmhd"u8, 0, 1) : w.Begin("smhd"u8, 0, 0);
        w.Zeroes(audio is null ? 8 : 4);
        w.End(header);
        int dinf = w.Begin("dinf"u8);
        int dref = w.Begin("dref"u8, 0, 0);
        w.UInt32(1);
        w.End(w.Begin("url "u8, 0, 1)); // the media is in this file
        w.End(dref);
        w.End(dinf);
        WriteSampleTable(w, format, audio);
        w.End(minf);
        w.End(mdia);
        w.End(trak);
    }

    private static void WriteSampleTable(Mp4BoxWriter w, VideoFormat? format, AudioFormat? audio)
    {
        int stbl = w.Begin("stbl"u8);
        int stsd = w.Begin("stsd"u8, 0, 0);
        w.UInt32(1);
        if (format is not null)
            WriteVideoEntry(w, format);
        else
            WriteAudioEntry(w, audio!);
        w.End(stsd);

        int stts = w.Begin("stts"u8, 0, 0);
        w.UInt32(0);
        w.End(stts);
        int stsc = w.Begin("stsc"u8, 0, 0);
        w.UInt32(0);
        w.End(stsc);
        int stsz = w.Begin("stsz"u8, 0, 0);
        w.Zeroes(8);
        w.End(stsz);
        int stco = w.Begin("stco"u8, 0, 0);
        w.UInt32(0);
        w.End(stco);
        w.End(stbl);
    }

    private static void WriteVideoEntry(Mp4BoxWriter w, VideoFormat format)
    {
        // Parameter sets are in avcC or hvcC alone, as these names promise (ISO/IEC 14496-15 §5.4.2.1, §8.4.1.1).
        bool hevc = format.Codec == VideoCodec.H265;
        int entry = w.Begin(hevc ? "hvc1"u8 : "avc1"u8);
        w.Zeroes(6);
        w.UInt16(1); // data reference
        w.Zeroes(16);
        w.UInt16((ushort)format.Width);
        w.UInt16((ushort)format.Height);
        w.UInt32(0x00480000); // 72 dpi
        w.UInt32(0x00480000);
        w.UInt32(0);
        w.UInt16(1); // frames a sample
        w.Zeroes(32); // compressor
        w.UInt16(24); // depth
        w.UInt16(0xFFFF);
        int configuration = w.Begin(hevc ? "hvcC"u8 : "avcC"u8);
        w.Bytes(format.DecoderConfiguration);
        w.End(configuration);
        w.End(entry);
    }

    // ISO/IEC 14496-14 §5.6.1; the descriptors are those of ISO/IEC 14496-1 §7.2.6.
    private static void WriteAudioEntry(Mp4BoxWriter w, AudioFormat format)
    {
        int entry = w.Begin("mp4a"u8);
        w.Zeroes(6);
        w.UInt16(1); // data reference
        w.Zeroes(8);
        w.UInt16((ushort)format.Channels);
        w.UInt16(16); // bits a sample
        w.Zeroes(4);
        w.UInt32(format.SampleRate <= ushort.MaxValue ? (uint)format.SampleRate << 16 : 0);
        int esds = w.Begin("esds"u8, 0, 0);
        const int DescriptorHead = 5;
        int specific = format.DecoderConfiguration.Length;
        int decoder = 13 + DescriptorHead + specific;
        WriteDescriptor(w, 3, 3 + DescriptorHead + decoder + DescriptorHead + 1); // ES_Descriptor
        w.Zeroes(3); // ES_ID, flags
        WriteDescriptor(w, 4, decoder); // DecoderConfigDescriptor
        w.UInt8(0x40); // MPEG-4 audio
        w.UInt8(0x15); // an audio stream
        w.Zeroes(11); // buffer size and bit rates: not known
        WriteDescriptor(w, 5, specific); // DecoderSpecificInfo
        w.Bytes(format.DecoderConfiguration);
        WriteDescriptor(w, 6, 1); // SLConfigDescriptor
        w.UInt8(2); // as MP4 files have it
        w.End(esds);
        w.End(entry);
    }

    private static void WriteDescriptor(Mp4BoxWriter w, byte tag, int length)
    {
        w.UInt8(tag);
        for (int shift = 21; shift > 0; shift -= 7)
            w.UInt8((byte)(0x80 | (length >> shift) & 0x7F));
        w.UInt8((byte)(length & 0x7F));
    }

    private static void WriteUnityMatrix(Mp4BoxWriter w)
    {
        w.UInt32(0x00010000);
        w.Zeroes(12);
        w.UInt32(0x00010000);
        w.Zeroes(12);
        w.UInt32(0x40000000);
    }
}
