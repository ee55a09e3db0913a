using EdgeNode.Ingest;
using EdgeNode.Streaming;
using EdgeNode.Tests.Ingest.Rtsp;
using EdgeNode.Tests.Media;

namespace EdgeNode.Tests.Streaming;

public sealed class PackagerTests
{
    [Theory]
    [InlineData("25", 50, 0)]
    [InlineData("25", 50, 2)]
    [InlineData("30000/1001", 60, 0)]
    [InlineData("30", 15, 3)]
    [InlineData("12", 24, 0)]
    [InlineData("15", 60, 2)]
    [InlineData("25", 104, 0)]
    [InlineData("4", 8, 0)]
    [InlineData("60", 60, 2)]
    public void Media_plays_without_an_error_and_without_a_lost_or_repeated_picture(string fps, int gop, int bFrames)
    {
        TestClip clip = TestClip.Make(fps, gop, bFrames);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        int count = clip.Samples.Count * 4;
        recorder.Push(clip, format, count);

        byte[] stream = recorder.Stream(1);
        List<Fragment> fragments = FragmentReader.Read(stream.AsSpan(recorder.Initializations[1].Length));
        int expected = 0;
        using IEnumerator<(TestClip.Sample Sample, long Shift)> source = clip.Loop().GetEnumerator();
        foreach (FragmentSample sample in fragments.SelectMany(fragment => fragment.Samples))
        {
            source.MoveNext();
            expected++;
            Assert.True(source.Current.Sample.Bytes.AsSpan().SequenceEqual(sample.Bytes));
            Assert.Equal(source.Current.Sample.IsKey, sample.IsSync);
        }

        Assert.InRange(expected, count / 2, count);
        Assert.Equal(expected, Probe(stream));
        Assert.True(recorder.Rules.States > 4);
        Assert.Equal(0, recorder.Packager.Counters.DroppedUnits + recorder.Packager.Counters.JoinedGaps + recorder.Packager.Counters.OverlongParts);
        Assert.Equal(0, recorder.Packager.Counters.ForcedCuts);
    }

    [Theory]
    [InlineData("25", 0.32)]
    [InlineData("30", 0.3)]
    [InlineData("30000/1001", 0.3003)]
    [InlineData("12", 0.33333)]
    [InlineData("24", 0.29167)]
    [InlineData("4", 0.25)]
    public void Part_target_is_the_whole_number_of_frames_nearest_to_300_ms(string fps, double expected)
    {
        TestClip clip = TestClip.Make(fps, 24);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), clip.Samples.Count);
        // 25 frames a second: 7 are 0.28 s, 8 are 0.32 s; both are 20 ms off and even wins.
        Assert.InRange((double)recorder.Rules.Last.PartTarget!, expected, expected + 0.0005);
    }

    [Theory]
    [InlineData(15, 2)]
    [InlineData(25, 2)]
    [InlineData(50, 2)]
    [InlineData(75, 3)]
    [InlineData(104, 4)]
    [InlineData(260, 11)]
    public void Target_duration_fits_the_first_group_of_pictures_when_none_is_known(int gop, int target)
    {
        TestClip clip = TestClip.Make("25", gop, seconds: 16);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), clip.Samples.Count * 4);
        Assert.Equal(target, recorder.Rules.Last.TargetDuration);
        Assert.True(recorder.Rules.Last.AreSegmentsIndependent);
    }

    [Fact]
    public void Groups_of_pictures_beyond_the_longest_target_are_cut_and_the_playlist_says_where_to_begin()
    {
        TestClip clip = TestClip.Make("10", 200, seconds: 20);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 10 * 100);
        ParsedPlaylist playlist = recorder.Rules.Last;
        Assert.Equal(12, playlist.TargetDuration);
        Assert.False(playlist.AreSegmentsIndependent);
        Assert.True(recorder.Packager.Counters.ForcedCuts > 2);
        Assert.Contains(playlist.Parts, part => part.IsIndependent);
        decimal all = playlist.Segments.Sum(segment => segment.Duration ?? segment.Parts.Sum(part => part.Duration));
        Assert.InRange(playlist.StartOffset!.Value, -all, -0.1m);
        // It points at an independent part.
        decimal behind = 0;
        ParsedSegment start = Enumerable.Reverse(playlist.Segments).First(segment =>
        {
            behind += segment.Duration ?? segment.Parts.Sum(part => part.Duration);
            return behind >= -playlist.StartOffset.Value - 0.001m;
        });
        Assert.True(recorder.Parts.Single(part => part.Sequence == start.Sequence && part.Index == 0).IsIndependent);
        Assert.Equal(recorder.Parts.Count(part => part.Sequence < recorder.Packager.Window.Current!.Sequence),
            FragmentReader.Read(recorder.Stream(1).AsSpan(recorder.Initializations[1].Length)).Count);
        Probe(recorder.Stream(1));
    }

    [Fact]
    public void A_target_duration_known_before_holds_when_groups_of_pictures_grow()
    {
        TestClip clip = TestClip.Make("25", 104);
        using var recorder = new PackagerRecorder(longestGop: TimeSpan.FromSeconds(2));
        VideoFormat format = clip.NewFormat();
        TestClip shorter = TestClip.Make("25", 50);
        recorder.Push(shorter, format, 150);
        Assert.Equal(2, recorder.Rules.Last.TargetDuration);
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(700))
            recorder.Push(TestClip.Unit(sample, format, shift + 150 * 3600));
        Assert.Equal(2, recorder.Rules.Last.TargetDuration);
        Assert.False(recorder.Rules.Last.AreSegmentsIndependent);
    }

    [Fact]
    public void Frames_rarer_than_three_a_second_make_plain_hls()
    {
        TestClip clip = TestClip.Make("2", 4, seconds: 20);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 80);
        Assert.Null(recorder.Rules.Last.PartTarget);
        Assert.True(recorder.Rules.Last.CanBlockReload);
        Assert.Equal(Pictures(recorder), Probe(recorder.Stream(1)));
    }

    [Fact]
    public void Single_pictures_every_five_seconds_still_make_segments()
    {
        TestClip clip = TestClip.Make("1/5", 1, seconds: 50);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 40);
        Assert.Equal(5, recorder.Rules.Last.TargetDuration);
        Assert.Equal(Pictures(recorder), Probe(recorder.Stream(1)));
    }

    [Fact]
    public void Trembling_clocks_and_single_lost_frames_break_no_rule()
    {
        TestClip clip = TestClip.Make("15", 30);
        var random = new Random(7);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        int pushed = 0;
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(2000))
        {
            if (!sample.IsKey && pushed > 20 && random.Next(15) == 0)
                continue;
            pushed++;
            recorder.Push(TestClip.Unit(sample, format, shift + random.Next(-700, 700)));
        }

        Assert.Equal(0, recorder.Packager.Counters.DroppedUnits);
        Assert.Equal(0, recorder.Packager.Counters.OverlongParts);
        List<long> presentations = [.. recorder.Fragments.SelectMany(Presentations)];
        Assert.Equal(presentations.Order(), presentations);
        // Nothing is lost of the camera's time: what is decoded early is shown when it was taken.
        long span = clip.Loop().Take(2000).Last().Sample.Pts + clip.Loop().Take(2000).Last().Shift;
        Assert.InRange(presentations[^1] - presentations[0], span - 90000, span + 90000);
    }

    [Fact]
    public void New_parameters_while_frames_are_still_measured_begin_a_discontinuity()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 5);
        VideoFormat next = clip.NewFormat();
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(150))
            recorder.Push(TestClip.Unit(sample, next, shift + 5 * 3600, sample.Dts + shift == 0 ? AccessUnitFlags.StartsTimeline : AccessUnitFlags.None));
        Assert.Equal([false, true], recorder.Packager.Window.Segments.Take(2).Select(segment => segment.IsDiscontinuity));
    }

    [Fact]
    public void A_camera_that_becomes_slower_than_its_parts_goes_on_without_them()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        recorder.Push(clip, format, 200);
        Assert.NotNull(recorder.Rules.Last.PartTarget);
        int i = 0;
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Skip(200).Take(150))
            recorder.Push(TestClip.Unit(sample, format, shift + i++ * 10 * 3600L)); // a picture in 440 ms
        Assert.Null(recorder.Rules.Last.PartTarget);
        Assert.Equal(1, recorder.Packager.Counters.OverlongParts);
        Assert.True(recorder.Packager.Counters.Segments > 12);
    }

    [Fact]
    public void New_parameters_begin_a_discontinuity_with_a_map_of_their_own()
    {
        TestClip large = TestClip.Make("25", 50);
        TestClip small = TestClip.Make("25", 50, 2, width: 160, height: 96);
        using var recorder = new PackagerRecorder();
        recorder.Push(large, large.NewFormat(), 130);
        VideoFormat next = small.NewFormat();
        foreach ((TestClip.Sample sample, long shift) in small.Loop().Take(700))
            recorder.Push(TestClip.Unit(sample, next, shift + 140 * 3600));

        Assert.Equal([1, 2], recorder.Initializations.Keys.Order());
        Assert.Equal(1, recorder.Rules.Last.DiscontinuitySequence);
        Assert.Equal(130, Probe(recorder.Stream(1)));
        Assert.InRange(Probe(recorder.Stream(2)), 640, 700);
        Assert.Equal(1, recorder.Packager.Window.DiscontinuitySequence);
        Assert.Null(recorder.Packager.Window.FindInitialization(1));
        Assert.NotNull(recorder.Packager.Window.FindInitialization(2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(90_000 * 30L)]
    [InlineData(-90_000 * 30L)]
    public void An_interruption_is_a_discontinuity_on_a_timeline_that_goes_on(long jump)
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        recorder.Push(clip, format, 230);
        bool isFirst = true;
        // Comes back in the middle of a group of pictures: nothing is shown before the next keyframe.
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Skip(240).Take(160))
        {
            recorder.Push(TestClip.Unit(sample, format, shift + jump, isFirst ? AccessUnitFlags.StartsTimeline : AccessUnitFlags.None));
            isFirst = false;
        }

        Assert.Equal(10, recorder.Packager.Counters.DroppedUnits);
        Assert.Single(recorder.Rules.Last.Segments, segment => segment.IsDiscontinuity);
        Assert.Equal([1], recorder.Initializations.Keys);
        Assert.Equal(Pictures(recorder), Probe(recorder.Stream(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void A_run_that_ends_before_its_first_segment_leaves_the_origin_where_it_was(int units)
    {
        TestClip clip = TestClip.Make();
        var origin = new PackagingOrigin(17, 900_000, 3, 2, true);
        using var recorder = new PackagerRecorder(origin: origin);
        VideoFormat format = clip.NewFormat();
        recorder.Push(clip, format, units);
        Assert.Equal(origin, recorder.Packager.Next);

        recorder.Push(clip, format, 50, skip: units);
        Assert.True(recorder.Packager.Next.DecodeTime > origin.DecodeTime);
        Assert.True(recorder.Packager.Next.MediaSequence > origin.MediaSequence);
    }

    [Fact]
    public void A_damaged_picture_costs_the_rest_of_its_group_and_nothing_else()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        int i = 0;
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(600))
            recorder.Push(TestClip.Unit(sample, format, shift, i++ == 222 ? AccessUnitFlags.Damaged : AccessUnitFlags.None));
        Assert.Equal(28, recorder.Packager.Counters.DroppedUnits);
        Assert.Equal(0, recorder.Rules.Last.DiscontinuitySequence);
        Assert.True(recorder.Rules.Last.AreSegmentsIndependent);
        Assert.Equal(Pictures(recorder), Probe(recorder.Stream(1)));
    }

    [Theory]
    [InlineData("yuv420p", "bframes=3:keyint=25:open-gop=0", "hvc1.1.6.L60.90")]
    [InlineData("yuv420p10le", "bframes=0:keyint=25:open-gop=1", "hvc1.2.4.L60.90")]
    public void H265_over_RTP_is_packaged_so_that_ffprobe_decodes_it(string pixelFormat, string parameters, string codecs)
    {
        EncodedClip clip = EncodedClip.Make("libx265", parameters, pictures: 200, width: 320, height: 180, pixelFormat: pixelFormat);
        using EncodedStream stream = EncodedStream.Send(clip, hevc: true);
        using var recorder = new PackagerRecorder();
        foreach (AccessUnit unit in stream.Units)
        {
            unit.AddReference();
            recorder.Push(unit);
        }

        Assert.Equal(codecs, stream.Units[0].Format.CodecString);
        Assert.True(Pictures(recorder) >= 100);
        Assert.Equal(Pictures(recorder), Probe(recorder.Stream(1)));
    }

    [Fact]
    public void Odd_units_never_end_it()
    {
        TestClip clip = TestClip.Make("25", 25, 2);
        var random = new Random(3);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        var without = new VideoFormat { Codec = VideoCodec.H265, Width = 192, Height = 108, DecoderConfiguration = [], CodecString = "hvc1" };
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(4000))
        {
            TestClip.Sample odd = random.Next(60) switch
            {
                0 => sample with { Pts = sample.Pts + 90_000_000 },
                1 => sample with { Dts = sample.Dts - 90_000_000, Pts = sample.Pts - 90_000_000 },
                2 => sample with { Dts = sample.Dts + 90_000_000, Pts = sample.Pts + 90_000_000 },
                3 => sample with { IsKey = !sample.IsKey },
                _ => sample,
            };
            VideoFormat its = random.Next(300) switch { 0 => without, 1 => clip.NewFormat(), _ => format };
            AccessUnitFlags flags = random.Next(200) == 0 ? AccessUnitFlags.StartsTimeline : AccessUnitFlags.None;
            recorder.Push(TestClip.Unit(odd, its, shift, flags, TestClip.Epoch.AddSeconds(shift / 90000.0)));
        }

        Assert.True(recorder.Packager.Counters.Segments > 20);
        Assert.True(recorder.Packager.Counters.DroppedUnits > 20);
    }

    [Fact]
    public void A_camera_that_slows_down_is_played_on()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        recorder.Push(clip, format, 200);
        int i = 0;
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Skip(200).Take(400))
        {
            long late = i++ * 3600;
            recorder.Push(TestClip.Unit(sample, format, shift + late)); // 12.5 a second
        }

        Assert.Equal(0, recorder.Packager.Counters.OverlongParts + recorder.Packager.Counters.JoinedGaps);
        long span = (recorder.Fragments[^1].End - recorder.Fragments[0].DecodeTime) / 90_000;
        Assert.InRange(span, 38, 40);
    }

    [Fact]
    public void Bytes_are_bounded_whatever_the_playlist_promised()
    {
        TestClip clip = TestClip.Make("25", 50);
        long bound = 120_000;
        using var packager = new Packager(new PackagingOptions { MaxBytes = bound }, TimeSpan.FromSeconds(2), PackagingOrigin.First);
        VideoFormat format = clip.NewFormat();
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(1000))
        {
            AccessUnit unit = TestClip.Unit(sample, format, shift);
            packager.OnAccessUnit(unit);
            unit.Release();
            Assert.InRange(packager.Window.MemoryBytes, 0, 2 * bound);
        }

        Assert.True(packager.Counters.EvictedForBytes > 0);
    }

    [Fact]
    public void Old_segments_leave_once_the_rules_allow()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 1000);
        Assert.Equal(4, recorder.Packager.Window.CompleteCount);
        long first = recorder.Packager.Window.Segments[0].Sequence;
        // RFC 8216bis §6.2.2: for their own 2 s and the 10 s of the longest playlist.
        Assert.NotNull(recorder.Packager.Window.Find(first - 1));
        Assert.NotNull(recorder.Packager.Window.Find(first - 5));
        Assert.Null(recorder.Packager.Window.Find(first - 8));
    }

    [Fact]
    public void Delta_updates_leave_out_what_lies_beyond_the_skip_boundary()
    {
        TestClip clip = TestClip.Make("25", 50);
        using var recorder = new PackagerRecorder(new PackagingOptions { ListedSegments = 20 });
        recorder.Push(clip, clip.NewFormat(), 2000);
        ParsedPlaylist full = ParsedPlaylist.Parse(recorder.Text);
        ParsedPlaylist delta = ParsedPlaylist.Parse(recorder.Delta);
        Assert.Equal(0, full.Skipped);
        Assert.InRange(delta.Skipped, 12, 15);
        Assert.Equal(full.MediaSequence, delta.MediaSequence);
        Assert.Equal(full.Segments.Skip(delta.Skipped).Select(segment => segment.Sequence), delta.Segments.Select(segment => segment.Sequence));
        Assert.True(delta.Segments.Sum(segment => segment.Duration ?? 0) >= full.CanSkipUntil);
    }

    [Fact]
    public void The_multivariant_playlist_tells_what_was_measured()
    {
        TestClip clip = TestClip.Make("30000/1001", 60);
        using var recorder = new PackagerRecorder();
        recorder.Push(clip, clip.NewFormat(), 600);
        string text = System.Text.Encoding.UTF8.GetString(MultivariantPlaylist.Write(recorder.Packager.Window));
        string[] lines = text.Split('\n');
        Assert.Contains($"CODECS=\"avc1.{Convert.ToHexStringLower(clip.DecoderConfiguration.AsSpan(1, 3))}\",RESOLUTION=192x108,FRAME-RATE=29.970", lines[2]);
        double average = 8.0 * clip.Samples.Sum(sample => sample.Bytes.Length) * 90000 / clip.Length;
        double stated = double.Parse(System.Text.RegularExpressions.Regex.Match(text, "AVERAGE-BANDWIDTH=(\\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        double peak = double.Parse(System.Text.RegularExpressions.Regex.Match(text, ":BANDWIDTH=(\\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(stated, average * 0.9, average * 1.1);
        Assert.True(peak >= stated);
        Assert.Equal("media.m3u8", lines[3]);
    }

    [Fact]
    public void Labels_follow_the_camera_s_clock_without_trembling()
    {
        TestClip clip = TestClip.Make("25", 50);
        var random = new Random(5);
        using var recorder = new PackagerRecorder();
        VideoFormat format = clip.NewFormat();
        foreach ((TestClip.Sample sample, long shift) in clip.Loop().Take(3000))
        {
            DateTime captured = TestClip.Epoch.AddSeconds((sample.Dts + shift) / 90000.0 * 1.0002).AddMilliseconds(random.Next(-80, 80));
            recorder.Push(TestClip.Unit(sample, format, shift, capturedAt: captured));
        }

        ParsedPlaylist playlist = recorder.Rules.Last;
        Segment last = recorder.Packager.Window.Current!;
        DateTime truth = TestClip.Epoch.AddSeconds(last.DecodeTime / 90000.0 * 1.0002);
        Assert.InRange((last.ProgramDateTime - truth).TotalMilliseconds, -80, 80);
        ParsedSegment[] complete = [.. playlist.Complete];
        for (int i = 1; i < complete.Length; i++)
            Assert.InRange((complete[i].ProgramDateTime - complete[i - 1].ProgramDateTime).TotalSeconds - (double)complete[i - 1].Duration!.Value, -0.03, 0.03);
    }

    private static IEnumerable<long> Presentations(Fragment fragment)
    {
        long time = fragment.DecodeTime;
        foreach (FragmentSample sample in fragment.Samples)
        {
            yield return time + sample.CompositionOffset;
            time += sample.Duration;
        }
    }

    private static int Pictures(PackagerRecorder recorder) =>
        FragmentReader.Read(recorder.Stream(1).AsSpan(recorder.Initializations[1].Length)).Sum(fragment => fragment.Samples.Count);

    /// <summary>Decodes with FFmpeg, which must find nothing to complain of; returns the pictures that came out.</summary>
    private static int Probe(byte[] stream)
    {
        string path = Path.Combine(Path.GetTempPath(), $"edgenode-stream-{Guid.NewGuid():N}.mp4");
        try
        {
            File.WriteAllBytes(path, stream);
            string frames = Tool.Run("ffprobe", "-v", "warning", "-threads", "1", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path);
            return int.Parse(frames.Trim().TrimEnd(','), System.Globalization.CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
