using System.Globalization;
using EdgeNode.Ingest.Bitstream;

namespace EdgeNode.Ingest.Aac;

/// <summary>What the node needs of an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) of an AAC stream.</summary>
public sealed class AudioSpecificConfig
{
    private const int LongestConfig = 256;
    private const int SpectralBandReplication = 5;
    private const int ParametricStereo = 29;
    private const int SbrSync = 0x2B7;
    private const int PsSync = 0x548;
    private static readonly int[] Rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

    /// <summary>Object type of the core: 2 is AAC LC.</summary>
    public required int ObjectType { get; init; }

    /// <summary>Samples a second of the core.</summary>
    public required int CoreRate { get; init; }

    /// <summary>Samples of one frame and channel, at <see cref="CoreRate"/>: 1024 or 960, 512 or 480 where the type has short frames.</summary>
    public required int FrameLength { get; init; }

    /// <summary>Samples a second that a decoder puts out: twice the core's with spectral band replication.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Channels that a decoder puts out.</summary>
    public required int Channels { get; init; }

    /// <summary>Spectral band replication (HE-AAC) is signalled.</summary>
    public required bool HasSpectralBandReplication { get; init; }

    /// <summary>Parametric stereo (HE-AAC v2) is signalled.</summary>
    public required bool HasParametricStereo { get; init; }

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="InvalidDataException">It ends early, or is no AAC with one to eight channels.</exception>
    public static AudioSpecificConfig Parse(ReadOnlySpan<byte> config)
    {
        if (config.Length > LongestConfig)
            throw new InvalidDataException($"The AAC configuration has {config.Length} bytes; {LongestConfig} are the most.");
        var reader = new BitReader(config);
        int type = ReadObjectType(ref reader);
        int coreRate = ReadRate(ref reader);
        int channelConfiguration = (int)reader.ReadBits(4);
        bool parametric = type == ParametricStereo;
        bool replicated = parametric || type == SpectralBandReplication;
        int sampleRate = coreRate;
        if (replicated)
        {
            sampleRate = ReadRate(ref reader);
            type = ReadObjectType(ref reader);
        }

        if (type is not (1 or 2 or 3 or 4 or 17 or 23))
            throw new InvalidDataException($"The audio's MPEG-4 object type is {type}: set the camera to AAC LC.");

        // GASpecificConfig, §4.4.1
        bool shortFrames = reader.ReadBit();
        if (reader.ReadBit())
            reader.ReadBits(14); // coreCoderDelay
        bool extended = reader.ReadBit();
        int channels = channelConfiguration switch
        {
            0 => ReadProgram(ref reader),
            7 => 8,
            < 7 => channelConfiguration,
            _ => throw new InvalidDataException($"The AAC configuration names channel layout {channelConfiguration}: set the camera to mono or stereo."),
        };
        if (extended)
            reader.ReadBits(type is 17 or 23 ? 4 : 1);
        if (!replicated)
            ReadExtension(ref reader, ref replicated, ref parametric, ref sampleRate);

        int whole = type == 23 ? 512 : 1024; // low delay has half frames
        return new AudioSpecificConfig
        {
            ObjectType = type,
            CoreRate = coreRate,
            FrameLength = shortFrames ? whole / 16 * 15 : whole,
            SampleRate = sampleRate,
            Channels = parametric && channels == 1 ? 2 : channels,
            HasSpectralBandReplication = replicated,
            HasParametricStereo = parametric,
        };
    }

    /// <summary>The format of frames with this configuration.</summary>
    /// <exception cref="InvalidDataException">As for <see cref="Parse"/>.</exception>
    public static AudioFormat ToFormat(ReadOnlySpan<byte> config)
    {
        AudioSpecificConfig parsed = Parse(config);
        int named = parsed.HasParametricStereo ? ParametricStereo : parsed.HasSpectralBandReplication ? SpectralBandReplication : parsed.ObjectType;
        return new AudioFormat
        {
            Codec = AudioCodec.Aac,
            SampleRate = parsed.SampleRate,
            Channels = parsed.Channels,
            DecoderConfiguration = config.ToArray(),
            CodecString = string.Create(CultureInfo.InvariantCulture, $"mp4a.40.{named}"),
        };
    }

    private static int ReadObjectType(ref BitReader reader)
    {
        int type = (int)reader.ReadBits(5);
        return type == 31 ? 32 + (int)reader.ReadBits(6) : type;
    }

    private static int ReadRate(ref BitReader reader)
    {
        const int Explicit = 15;
        int index = (int)reader.ReadBits(4);
        int rate = index == Explicit ? (int)reader.ReadBits(24) : index < Rates.Length ? Rates[index] : 0;
        return rate is >= 4000 and <= 192_000 ? rate : throw new InvalidDataException($"The AAC configuration states {rate} samples a second; 4000 to 192000 are allowed.");
    }

    // program_config_element, §4.4.1.1: the channels are those of its elements.
    private static int ReadProgram(ref BitReader reader)
    {
        reader.ReadBits(10); // element_instance_tag, object_type, sampling_frequency_index
        int front = (int)reader.ReadBits(4);
        int side = (int)reader.ReadBits(4);
        int back = (int)reader.ReadBits(4);
        int lowFrequency = (int)reader.ReadBits(2);
        int data = (int)reader.ReadBits(3);
        int coupling = (int)reader.ReadBits(4);
        for (int mixdown = 0; mixdown < 2; mixdown++)
        {
            if (reader.ReadBit())
                reader.ReadBits(4);
        }

        if (reader.ReadBit())
            reader.ReadBits(3);
        int channels = lowFrequency;
        for (int i = 0; i < front + side + back; i++)
        {
            channels += reader.ReadBit() ? 2 : 1;
            reader.ReadBits(4);
        }

        for (int i = 0; i < lowFrequency + data; i++)
            reader.ReadBits(4);
        for (int i = 0; i < coupling; i++)
            reader.ReadBits(5);
        reader.Align();
        for (int comment = (int)reader.ReadBits(8); comment > 0; comment--)
            reader.ReadBits(8);
        return channels is >= 1 and <= 8 ? channels : throw new InvalidDataException($"The AAC configuration states {channels} channels: set the camera to mono or stereo.");
    }

    // The backward compatible signalling behind the core's configuration, which a decoder may overlook.
    private static void ReadExtension(ref BitReader reader, ref bool replicated, ref bool parametric, ref int sampleRate)
    {
        if (reader.Left < 16 || reader.ReadBits(11) != SbrSync || ReadObjectType(ref reader) != SpectralBandReplication)
            return;
        if (reader.Left < 5 || !reader.ReadBit())
            return;
        replicated = true;
        sampleRate = ReadRate(ref reader);
        parametric = reader.Left >= 12 && reader.ReadBits(11) == PsSync && reader.ReadBit();
    }
}
