using EdgeNode.Ingest;
using EdgeNode.Native.Memory;
using EdgeNode.Tests.Media;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Ingest;

[Collection("clips")]
public sealed class FileSourceTests(SharedClips clips)
{
    private const int Step = AccessUnit.TicksPerSecond / SharedClips.Rate;
    private static readonly TimeSpan FrameTime = TimeSpan.FromSeconds(1.0 / SharedClips.Rate);

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("clip.mkv")]
    [InlineData("clip.avi")]
    [InlineData("clip.flv")]
    [InlineData("clip.ts")]
    [InlineData("clip.h264")]
    public void Every_container_gives_the_same_pictures(string name)
    {
        using var reference = new FileSource(clips.WithoutBFrames);
        using var source = new FileSource(clips.Remuxed(name));
        reference.Open();
        source.Open();
        long? firstDts = null;
        for (int i = 0; i < SharedClips.Pictures; i++)
        {
            AccessUnit expected = reference.Read()!;
            AccessUnit unit = source.Read()!;
            firstDts ??= unit.Dts;
            Assert.Equal(WithoutSei(expected.Data), WithoutSei(unit.Data));
            Assert.Equal(i % SharedClips.Gop == 0, unit.IsKey);
            Assert.Equal(expected.IsReference, unit.IsReference);
            Assert.InRange(unit.Dts - firstDts.Value - i * Step, -90, 90); // Matroska and FLV count milliseconds
            Assert.Equal(unit.Dts, unit.Pts);
            Assert.False(unit.IsDamaged);
            Assert.Equal(i == 0, unit.StartsTimeline);
            Assert.Equal((SharedClips.Width, SharedClips.Height), (unit.Format.Width, unit.Format.Height));
            Assert.Same(source.Format, unit.Format);
            expected.Release();
            unit.Release();
        }

        Assert.Null(source.Read());
    }

    [Theory]
    [InlineData("hevc.mp4")]
    [InlineData("hevc.mkv")]
    [InlineData("hevc.ts")]
    [InlineData("hevc.hevc")]
    public void H265_comes_out_of_every_container_as_it_went_in(string name)
    {
        string made = clips.MakeH265("hevc-made.mp4");
        using var source = new FileSource(name == "hevc.mp4" ? made : clips.Remuxed(name, made));
        source.Open();
        List<AccessUnit> units = [];
        while (source.Read() is { } unit)
            units.Add(unit);

        Assert.Equal(SharedClips.Pictures, units.Count);
        VideoFormat format = Assert.Single(units.Select(unit => unit.Format).Distinct());
        Assert.Equal((VideoCodec.H265, SharedClips.Width, SharedClips.Height), (format.Codec, format.Width, format.Height));
        Assert.StartsWith("hvc1.1.6.L", format.CodecString);
        Assert.Equal(units.Select((_, i) => i % SharedClips.Gop == 0), units.Select(unit => unit.IsKey));
        Assert.All(units.Zip(units.Skip(1)), pair => Assert.True(pair.Second.Dts > pair.First.Dts));
        Assert.All(units, unit => Assert.True(unit.Pts >= unit.Dts && !unit.IsDamaged));

        // What a player gets: the record, and NAL units behind lengths. ffmpeg reads every picture of it.
        using var folder = new TemporaryFolder();
        using (FileStream raw = File.Create(folder.File("out.hevc")))
        {
            var record = EdgeNode.Ingest.H265.DecoderConfigurationRecord.Read(format.DecoderConfiguration);
            foreach (byte[] set in (byte[][])[.. record.VideoParameterSets, .. record.SequenceParameterSets, .. record.PictureParameterSets])
                raw.Write([0, 0, 0, 1, .. set]);
            foreach (AccessUnit unit in units)
            {
                for (ReadOnlySpan<byte> rest = unit.Data; !rest.IsEmpty;)
                {
                    int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(rest);
                    raw.Write([0, 0, 0, 1, .. rest.Slice(4, length)]);
                    rest = rest[(4 + length)..];
                }
            }
        }

        Assert.Equal(FFmpegTool.RawPictures(made), FFmpegTool.RawPictures(folder.File("out.hevc")));
        foreach (AccessUnit unit in units)
            unit.Release();
    }

    [Fact]
    public void A_film_gives_its_AAC_only_where_it_is_wanted_and_cuts_it_at_each_round()
    {
        string film = clips.WithAudio("film.mp4", "-c:a", "aac", "-ac", "2");
        using (var mute = new FileSource(film))
        {
            mute.Open();
            while (mute.Read() is { } unit)
            {
                Assert.Null(unit.Audio);
                unit.Release();
            }
        }

        using var source = new FileSource(film, new FileSourceOptions { Loop = true, WithAudio = true });
        source.Open();
        long last = long.MinValue, lastAudio = long.MinValue;
        int pictures = 0, frames = 0;
        while (pictures < 2 * SharedClips.Pictures + 10)
        {
            AccessUnit unit = source.Read()!;
            ref long before = ref unit.Audio is null ? ref last : ref lastAudio;
            Assert.True(unit.Dts > before);
            before = unit.Dts;
            _ = unit.Audio is null ? pictures++ : frames++;
            unit.Release();
        }

        Assert.InRange(frames, 260, 310);
        Assert.InRange(last - lastAudio, -90_000, 90_000);
    }

    [Theory]
    [InlineData("b.mp4")]
    [InlineData("b.mkv")]
    [InlineData("b.flv")]
    [InlineData("b.ts")]
    public void With_B_frames_decoding_and_presentation_times_are_the_containers(string name)
    {
        List<AccessUnitTiming> timings = ReadAll(name == "b.mp4" ? clips.WithBFrames : clips.Remuxed(name, clips.WithBFrames));

        Assert.Equal(SharedClips.Pictures, timings.Count);
        Assert.All(timings.Zip(timings.Skip(1)), pair => Assert.InRange(pair.Second.Dts - pair.First.Dts, Step - 90, Step + 90));
        Assert.Contains(timings, timing => timing.Pts > timing.Dts + 2 * Step);
        long[] shown = [.. timings.Select(timing => timing.Pts).Order()];
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, Step - 90, Step + 90));
    }

    [Fact]
    public void A_recording_cut_in_the_middle_of_a_GOP_begins_at_its_first_keyframe()
    {
        string whole = clips.Remuxed("whole.h264");
        byte[] bytes = File.ReadAllBytes(whole);
        int second = NthPicture(bytes, 2);
        File.WriteAllBytes(clips.Path("cut.h264"), bytes[second..]);
        using var source = new FileSource(clips.Path("cut.h264"));
        source.Open();

        AccessUnit first = source.Read()!;

        Assert.True(first.IsKey);
        Assert.True(first.StartsTimeline);
        first.Release();
    }

    [Fact]
    public async Task Paced_pictures_come_at_the_speed_at_which_they_were_taken()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        DateTime start = time.GetUtcNow().UtcDateTime;
        using var source = new FileSource(clips.WithoutBFrames, new FileSourceOptions { Paced = true, Deadline = TimeSpan.FromHours(1) }, time);
        source.Open();
        var came = new List<TimeSpan>();
        var captured = new List<TimeSpan>();
        using var one = new SemaphoreSlim(0);
        Task reading = Task.Factory.StartNew(
            () =>
            {
                while (source.Read() is { } unit)
                {
                    came.Add(time.GetUtcNow().UtcDateTime - start);
                    captured.Add(unit.CapturedAt - start);
                    unit.Release();
                    one.Release();
                }
            },
            TaskCreationOptions.LongRunning);
        for (int i = 0; i < SharedClips.Pictures; i++)
        {
            Assert.True(await one.WaitAsync(TimeSpan.FromSeconds(30)));
            time.Advance(FrameTime);
        }

        await reading.WaitAsync(TimeSpan.FromSeconds(30));
        TimeSpan[] expected = [.. Enumerable.Range(0, SharedClips.Pictures).Select(i => i * FrameTime)];
        Assert.Equal(expected, came);
        Assert.Equal(expected, captured);
    }

    [Fact]
    public async Task A_reader_that_was_held_up_goes_on_at_the_usual_speed()
    {
        var time = new FakeTimeProvider();
        using var pacer = new Pacer(time);
        Assert.Equal(TimeSpan.Zero, pacer.WaitUntil(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(TimeSpan.FromMilliseconds(400), pacer.WaitUntil(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1)));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(TimeSpan.Zero, pacer.WaitUntil(TimeSpan.FromMilliseconds(600), TimeSpan.FromSeconds(1)));

        Task wait = Task.Run(() => pacer.WaitUntil(TimeSpan.FromMilliseconds(700), TimeSpan.FromSeconds(1)));
        time.Advance(TimeSpan.FromMilliseconds(100));
        await wait.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Abort_ends_a_paced_wait()
    {
        using var source = new FileSource(clips.WithoutBFrames, new FileSourceOptions { Paced = true }, new FakeTimeProvider());
        source.Open();
        source.Read()!.Release();
        Task<AccessUnit?> reading = Task.Factory.StartNew(source.Read, TaskCreationOptions.LongRunning);

        source.Abort();

        SourceException closed = await Assert.ThrowsAsync<SourceException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(SourceTrouble.Closed, closed.Trouble);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("b")]
    [InlineData("loop.ts")]
    [InlineData("loop.h264")]
    public void A_loop_goes_on_on_the_same_timeline(string name)
    {
        string clip = name switch { "plain" => clips.WithoutBFrames, "b" => clips.WithBFrames, _ => clips.Remuxed(name) };
        using var source = new FileSource(clip, new FileSourceOptions { Loop = true });
        source.Open();
        VideoFormat format = source.Format!;
        var shown = new List<long>();
        long? last = null;
        for (int i = 0; i < 3 * SharedClips.Pictures; i++)
        {
            AccessUnit unit = source.Read()!;
            Assert.Equal(i == 0, unit.StartsTimeline);
            Assert.Equal(i % SharedClips.Gop == 0, unit.IsKey);
            Assert.Same(format, unit.Format);
            if (last is { } before)
                Assert.Equal(Step, unit.Dts - before);
            last = unit.Dts;
            shown.Add(unit.Pts);
            unit.Release();
        }

        shown.Sort();
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.Equal(Step, pair.Second - pair.First));
    }

    [Fact]
    public void The_length_of_the_file_is_known()
    {
        using var source = new FileSource(clips.WithoutBFrames);
        source.Open();
        Assert.Equal(SharedClips.Pictures * FrameTime, source.Duration);
    }

    [Fact]
    public void A_missing_file_is_named() => AssertRefused(clips.Path("none.mp4"), SourceTrouble.NotFound, $"There is no file {clips.Path("none.mp4")}.");

    [Fact]
    public void A_folder_is_refused() =>
        AssertRefused(Path.GetTempPath(), SourceTrouble.NotFound, $"{Path.GetTempPath()} is a folder: name a video file.");

    [Fact]
    public void An_empty_file_is_refused()
    {
        string file = clips.Path("empty.mp4");
        File.WriteAllBytes(file, []);
        AssertRefused(file, SourceTrouble.Unsupported, $"The file {file} is empty.");
    }

    [Fact]
    public void A_file_that_is_no_video_is_refused()
    {
        string file = clips.Path("text.mp4");
        File.WriteAllText(file, string.Concat(Enumerable.Repeat("This is no video.\n", 100)));
        AssertRefused(file, SourceTrouble.Unsupported, $"{file} is no video file that the node can read (MP4, Matroska, AVI, FLV, MPEG-TS).");
    }

    [Fact]
    public void A_playlist_that_names_other_files_is_refused()
    {
        string file = clips.Path("list.txt");
        File.WriteAllText(file, $"ffconcat version 1.0\nfile {Path.GetFileName(clips.WithoutBFrames)}\n");
        AssertRefused(file, SourceTrouble.Unsupported, $"{file} is no video file that the node can read (MP4, Matroska, AVI, FLV, MPEG-TS).");
    }

    [Fact]
    public void Sound_alone_is_refused()
    {
        string file = clips.Path("sound.mp4");
        FFmpegTool.Run("-f", "lavfi", "-i", "sine=duration=0.5", "-c:a", "aac", file);
        AssertRefused(file, SourceTrouble.Unsupported, $"{file} has no video in it: H.264 or H.265 video is needed.");
    }

    [Fact]
    public void Another_codec_is_named()
    {
        string file = clips.Path("mpeg4.mp4");
        FFmpegTool.Run("-f", "lavfi", "-i", "testsrc2=size=64x64:duration=0.2", "-c:v", "mpeg4", file);
        AssertRefused(file, SourceTrouble.Unsupported, $"The video of {file} is mpeg4: H.264 or H.265 video is needed.");
    }

    [Fact]
    public void A_broken_packet_is_left_out_and_what_follows_it_is_damaged_up_to_the_next_keyframe()
    {
        List<long> positions = [];
        using (var whole = new FileSource(clips.WithoutBFrames))
        {
            whole.Open();
            byte[] bytes = File.ReadAllBytes(clips.WithoutBFrames);
            for (int i = 0; i < 11; i++)
            {
                AccessUnit unit = whole.Read()!;
                if (i == 10)
                {
                    // The length before its first NAL unit, made too long.
                    int at = bytes.AsSpan().IndexOf(unit.Data);
                    Assert.True(at > 0);
                    bytes[at] = 0x7F;
                }

                unit.Release();
            }

            File.WriteAllBytes(clips.Path("broken.mp4"), bytes);
        }

        using var source = new FileSource(clips.Path("broken.mp4"));
        source.Open();
        var damaged = new List<long>();
        int count = 0;
        while (source.Read() is { } unit)
        {
            count++;
            if (unit.IsDamaged)
                damaged.Add(unit.Dts / Step);
            unit.Release();
        }

        Assert.Equal(SharedClips.Pictures - 1, count);
        Assert.Equal(Enumerable.Range(11, SharedClips.Gop - 11).Select(i => (long)i), damaged);
    }

    private static void AssertRefused(string file, SourceTrouble trouble, string sentence)
    {
        using var source = new FileSource(file);
        var refused = Assert.Throws<SourceException>(source.Open);
        Assert.Equal((trouble, sentence), (refused.Trouble, refused.Message));
    }

    private static List<AccessUnitTiming> ReadAll(string clip)
    {
        using var source = new FileSource(clip);
        source.Open();
        var timings = new List<AccessUnitTiming>();
        while (source.Read() is { } unit)
        {
            timings.Add(new AccessUnitTiming(unit.Dts, unit.Pts, unit.CapturedAt));
            unit.Release();
        }

        return timings;
    }

    // x264 writes its settings into an SEI that some muxers drop or repeat.
    private static byte[] WithoutSei(ReadOnlySpan<byte> unit)
    {
        var kept = new List<byte>();
        while (!unit.IsEmpty)
        {
            int length = 4 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(unit);
            if ((unit[4] & 0x1F) != 6)
                kept.AddRange(unit[..length]);
            unit = unit[length..];
        }

        return [.. kept];
    }

    private static int NthPicture(ReadOnlySpan<byte> annexB, int n)
    {
        int at = 0;
        while (true)
        {
            at += annexB[at..].IndexOf<byte>([0, 0, 1]) + 3;
            if ((annexB[at] & 0x1F) is 1 or 5 && n-- == 0)
                return at - 3;
        }
    }
}

[Collection("counts of the process")]
public sealed class FileSourceMemoryTests(SharedClips clips)
{
    [Fact]
    public void All_memory_comes_back_from_a_source_that_is_left_in_the_middle()
    {
        long before = PacketMemory.RentedBytes;
        using (var source = new FileSource(clips.WithBFrames, new FileSourceOptions { Loop = true }))
        {
            source.Open();
            for (int i = 0; i < 100; i++)
                source.Read()!.Release();
            AccessUnit last = source.Read()!;
            Assert.True(PacketMemory.RentedBytes > before);
            last.Release();
        }

        Assert.Equal(before, PacketMemory.RentedBytes);
    }
}
