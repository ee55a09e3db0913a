using System.Reflection;
using System.Runtime.Loader;
using EdgeNode.Decoding;
using EdgeNode.Ingest;
using EdgeNode.Native.FFmpeg;
using EdgeNode.Native.Memory;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Decoding;

[Collection("clips")]
public sealed class SoftwareDecoderTests(SharedClips clips)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pixels_are_those_that_ffmpeg_decodes(bool bFrames)
    {
        string clip = bFrames ? clips.WithBFrames : clips.WithoutBFrames;

        List<Decoded> pictures = DecodeAll(clip);

        Assert.Equal(SharedClips.Pictures, pictures.Count);
        Assert.Equal(FFmpegTool.RawPictures(clip), pictures.SelectMany(picture => picture.Pixels).ToArray());
        Assert.All(pictures, picture => Assert.False(picture.IsDamaged));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pictures_come_in_presentation_order_with_the_time_of_their_access_unit(bool bFrames)
    {
        List<Decoded> pictures = DecodeAll(bFrames ? clips.WithBFrames : clips.WithoutBFrames);

        long first = pictures[0].Pts;
        Assert.Equal(
            Enumerable.Range(0, SharedClips.Pictures).Select(i => first + i * AccessUnit.TicksPerSecond / SharedClips.Rate),
            pictures.Select(picture => picture.Pts));
    }

    [Fact]
    public void A_picture_without_reordering_comes_out_at_once()
    {
        string clip = clips.Make("zerolatency.mp4", "-tune", "zerolatency");
        using FileSource source = Opened(clip);
        using var decoder = new SoftwareDecoder(source.Format!);
        for (int i = 0; i < 10; i++)
        {
            AccessUnit unit = source.Read()!;
            decoder.Send(unit);
            Assert.True(decoder.TryReceive(out DecodedPicture picture));
            Assert.Equal(unit.Pts, picture.Pts);
            unit.Release();
            Assert.False(decoder.TryReceive(out _));
        }
    }

    [Fact]
    public void Skipping_leaves_out_exactly_the_pictures_that_no_other_refers_to()
    {
        int references = 0;
        using (FileSource source = Opened(clips.WithBFrames))
        {
            while (source.Read() is { } unit)
            {
                references += unit.IsReference ? 1 : 0;
                unit.Release();
            }
        }

        List<Decoded> pictures = DecodeAll(clips.WithBFrames, decoder => decoder.SkipNonReference = true);

        Assert.InRange(references, SharedClips.Pictures / 5, SharedClips.Pictures / 2);
        Assert.Equal(references, pictures.Count);
    }

    [Theory]
    [InlineData("yuv422p", "high422")]
    [InlineData("gray", "high")]
    public void Streams_with_other_chroma_show_their_luma_unchanged(string pixelFormat, string profile)
    {
        string clip = clips.Make($"{pixelFormat}.mp4", "-pix_fmt", pixelFormat, "-profile:v", profile);

        List<Decoded> pictures = DecodeAll(clip);

        byte[] expected = FFmpegTool.Run("-i", clip, "-vf", "extractplanes=y", "-fps_mode", "passthrough", "-f", "rawvideo", "-");
        Assert.Equal(SharedClips.Pictures, pictures.Count);
        Assert.Equal(expected, pictures.SelectMany(picture => picture.Pixels.Take(SharedClips.Width * SharedClips.Height)).ToArray());
    }

    [Theory]
    [InlineData("yuv420p10le", "high10")]
    [InlineData("yuv422p10le", "high422")]
    public void Of_ten_bits_the_upper_eight_are_shown(string pixelFormat, string profile)
    {
        string clip = clips.Make($"{pixelFormat}.mp4", "-pix_fmt", pixelFormat, "-profile:v", profile);

        List<Decoded> pictures = DecodeAll(clip);

        byte[] planes = FFmpegTool.RawPictures(clip, pixelFormat);
        int luma = SharedClips.Width * SharedClips.Height;
        int chromaRows = pixelFormat.Contains("422") ? SharedClips.Height : SharedClips.Height / 2;
        int size = luma + SharedClips.Width * chromaRows;
        byte[] Upper(int picture, int at, int count) =>
            [.. Enumerable.Range(picture * size + at, count).Select(i => (byte)((planes[2 * i] | (planes[2 * i + 1] << 8)) >> 2))];
        Assert.Equal(SharedClips.Pictures, pictures.Count);
        for (int i = 0; i < pictures.Count; i += 10)
        {
            Assert.Equal(Upper(i, 0, luma), pictures[i].Pixels.Take(luma));
            Assert.Equal(Upper(i, luma, SharedClips.Width / 2), pictures[i].Pixels.Skip(luma).Take(SharedClips.Width / 2));
        }
    }

    [Fact]
    public void Pictures_without_chroma_subsampling_are_refused_with_their_format()
    {
        string clip = clips.Make("444.mp4", "-pix_fmt", "yuv444p");

        var refused = Assert.Throws<DecodeException>(() => DecodeAll(clip));

        Assert.Equal("The stream's pixels are yuv444p: set the camera to 4:2:0 with 8 or 10 bits.", refused.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_a_picture_with_broken_slices_all_are_damaged_up_to_the_next_keyframe(bool lost)
    {
        const int Broken = 10;
        using FileSource source = Opened(clips.WithoutBFrames);
        using var decoder = new SoftwareDecoder(source.Format!);
        var damaged = new List<long>();
        int read = 0;
        while (source.Read() is { } unit)
        {
            if (read++ == Broken)
                unit.Memory.Span[(lost ? 0 : unit.Length / 2)..unit.Length].Fill(0x5A);
            try
            {
                decoder.Send(unit);
            }
            catch (DecodeException)
            {
                Assert.True(lost);
            }

            unit.Release();
            Receive();
        }

        decoder.Drain();
        Receive();

        Assert.Equal(Enumerable.Range(Broken, SharedClips.Gop - Broken).Skip(lost ? 1 : 0).Select(i => (long)i), damaged);

        void Receive()
        {
            while (decoder.TryReceive(out DecodedPicture picture))
            {
                if (picture.IsDamaged)
                    damaged.Add(picture.Pts * SharedClips.Rate / AccessUnit.TicksPerSecond);
            }
        }
    }

    [Fact]
    public void What_is_no_coded_picture_is_refused_and_the_next_keyframe_decodes()
    {
        using FileSource source = Opened(clips.WithoutBFrames);
        using var decoder = new SoftwareDecoder(source.Format!);
        PacketMemory memory = PacketMemory.Rent(64);
        memory.Span[..64].Fill(0xFF);
        AccessUnit garbage = AccessUnit.Create(memory, 64, source.Format!, default, AccessUnitFlags.None);

        Assert.Throws<DecodeException>(() => decoder.Send(garbage));
        garbage.Release();

        AccessUnit key = source.Read()!;
        decoder.Send(key);
        key.Release();
        decoder.Drain();
        Assert.True(decoder.TryReceive(out _));
    }

    [Fact]
    public void After_a_flush_decoding_begins_again_at_a_keyframe()
    {
        using FileSource source = Opened(clips.WithBFrames);
        using var decoder = new SoftwareDecoder(source.Format!);
        AccessUnit key = source.Read()!;
        for (int round = 0; round < 3; round++)
        {
            decoder.Send(key);
            decoder.Drain();
            Assert.True(decoder.TryReceive(out DecodedPicture picture));
            Assert.Equal(key.Pts, picture.Pts);
            Assert.False(decoder.TryReceive(out _));
            decoder.Flush();
        }

        key.Release();
    }

    [Fact]
    public void A_picture_whose_parameters_make_no_sense_is_refused()
    {
        using FileSource source = Opened(clips.WithoutBFrames);
        var format = new VideoFormat { Codec = VideoCodec.H264, Width = 16, Height = 16, CodecString = "avc1", DecoderConfiguration = [1, 2, 3] };
        using var decoder = new SoftwareDecoder(format);
        AccessUnit key = source.Read()!;

        Assert.Throws<DecodeException>(() => decoder.Send(key));

        key.Release();
    }

    private static FileSource Opened(string clip)
    {
        var source = new FileSource(clip);
        source.Open();
        return source;
    }

    private static List<Decoded> DecodeAll(string clip, Action<SoftwareDecoder>? prepare = null)
    {
        using FileSource source = Opened(clip);
        using var decoder = new SoftwareDecoder(source.Format!);
        prepare?.Invoke(decoder);
        var pictures = new List<Decoded>();
        while (source.Read() is { } unit)
        {
            decoder.Send(unit);
            unit.Release();
            Receive(decoder, pictures);
        }

        decoder.Drain();
        Receive(decoder, pictures);
        return pictures;
    }

    private static void Receive(SoftwareDecoder decoder, List<Decoded> pictures)
    {
        while (decoder.TryReceive(out DecodedPicture picture))
            pictures.Add(new Decoded(picture.Pts, picture.IsDamaged, Pack(picture.Pixels)));
    }

    internal static byte[] Pack(Yuv420View view)
    {
        var packed = new List<byte>();
        for (int y = 0; y < view.Height; y++)
            packed.AddRange(view.Y.Slice(y * view.LumaStride, view.Width));
        Pack(packed, view.Cb, view);
        Pack(packed, view.Cr, view);
        return [.. packed];
    }

    private static void Pack(List<byte> packed, ReadOnlySpan<byte> chroma, Yuv420View view)
    {
        for (int y = 0; y < (view.Height + 1) / 2; y++)
        {
            for (int x = 0; x < (view.Width + 1) / 2; x++)
                packed.Add(chroma[y * view.ChromaStride + x * view.ChromaStep]);
        }
    }

    private sealed record Decoded(long Pts, bool IsDamaged, byte[] Pixels);
}

[Collection("counts of the process")]
public sealed class SoftwareDecoderMemoryTests(SharedClips clips)
{
    [Fact]
    public void All_packet_memory_comes_back_when_the_decoder_is_gone()
    {
        long before = PacketMemory.RentedBytes;
        using (var source = new FileSource(clips.WithBFrames))
        {
            source.Open();
            using var decoder = new SoftwareDecoder(source.Format!);
            long most = 0;
            for (int i = 0; i < 20; i++)
            {
                AccessUnit unit = source.Read()!;
                decoder.Send(unit);
                most = Math.Max(most, PacketMemory.RentedBytes);
                unit.Release();
                while (decoder.TryReceive(out _))
                {
                }
            }

            Assert.True(most > before);
        }

        Assert.Equal(before, PacketMemory.RentedBytes);
    }

    [Fact]
    public void Without_FFmpeg_the_refusal_says_what_to_install()
    {
        const string Variable = "EDGENODE_FFMPEG_DIR";
        FFmpegLibrary.Load(); // everybody else has it
        using var empty = new TemporaryFolder();
        string? before = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, empty.Path);
        try
        {
            // A second copy of the program, which has loaded nothing yet.
            var copy = new AssemblyLoadContext("without FFmpeg");
            string folder = AppContext.BaseDirectory;
            copy.LoadFromAssemblyPath(Path.Combine(folder, "EdgeNode.Native.dll"));
            Assembly program = copy.LoadFromAssemblyPath(Path.Combine(folder, "edgenode.dll"));
            object format = Activator.CreateInstance(program.GetType(typeof(VideoFormat).FullName!)!)!;

            var refused = Assert.Throws<TargetInvocationException>(() => Activator.CreateInstance(program.GetType(typeof(SoftwareDecoder).FullName!)!, format));

            Assert.Equal(typeof(DecodeException).FullName, refused.InnerException!.GetType().FullName);
            Assert.StartsWith("FFmpeg's libraries are not in the folder", refused.InnerException.Message, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }

    [Fact]
    public void Nothing_is_allocated_for_a_picture()
    {
        using var source = new FileSource(clips.WithoutBFrames);
        source.Open();
        using var decoder = new SoftwareDecoder(source.Format!);
        for (int i = 0; i < 20; i++)
            DecodeOne();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
            DecodeOne();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void DecodeOne()
        {
            AccessUnit unit = source.Read()!;
            decoder.Send(unit);
            unit.Release();
            while (decoder.TryReceive(out _))
            {
            }
        }
    }
}
