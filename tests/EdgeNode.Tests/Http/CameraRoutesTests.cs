using System.Net;
using System.Text;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Ingest;
using EdgeNode.Storage;
using EdgeNode.Tests.Media;
using EdgeNode.Tests.Telemetry;

namespace EdgeNode.Tests.Http;

[Collection("clips")]
public sealed class CameraRoutesTests(SharedClips clips)
{
    private const string Canary = "p@ss:w/rd#1-canary";
    private const string Added = "{\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://cam:" + Canary + "@127.0.0.1:1/main?token=canary\", \"name\": \"Door\", \"enable_analytics\": true}";

    [Fact]
    public async Task A_camera_is_added_listed_changed_and_removed_and_its_password_is_never_shown()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        var said = new StringBuilder();
        async Task<JsonElement> SaidAsync(Task<HttpResponseMessage> answer)
        {
            JsonElement json = await (await answer).JsonAsync();
            said.Append(json.GetRawText());
            return json;
        }

        JsonElement added = await SaidAsync(admin.PostAsync("api/stream/cameras/add", Answers.Json(Added)));
        Assert.True(added.GetProperty("success").GetBoolean());
        Assert.Equal("rtsp://***@127.0.0.1:1/main?***", added.GetProperty("camera").GetProperty("rtsp_url").GetString());
        JsonElement list = await SaidAsync(admin.GetAsync("api/stream/cameras"));
        Assert.Equal([("lobby", true), ("door", false)], list.GetProperty("cameras").EnumerateArray().Select(c => (c.GetProperty("camera_id").GetString(), c.GetProperty("read_only").GetBoolean())));

        JsonElement changed = await SaidAsync(admin.PutAsync("api/stream/cameras/door", Answers.Json("{\"name\": \"Back door\", \"transport\": \"udp\", \"rtsp_url\": \"rtsp://***@127.0.0.1:1/main?***\"}")));
        Assert.Equal(("Back door", "udp"), (changed.GetProperty("camera").GetProperty("name").GetString(), changed.GetProperty("camera").GetProperty("transport").GetString()));
        Assert.Contains(Canary, node.Registry.Cameras.Find("door")!.Configuration.Url.Reveal());

        await SaidAsync(admin.DeleteAsync("api/stream/cameras/door"));
        Assert.Null(node.Registry.Cameras.Find("door"));
        await (await admin.DeleteAsync("api/stream/cameras/door")).ProblemAsync(HttpStatusCode.NotFound);
        JsonElement audit = await SaidAsync(admin.GetAsync("api/audit"));
        Assert.Equal(["camera_remove", "camera_change", "camera_add"], audit.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("action").GetString()));
        Assert.DoesNotContain("canary", said.ToString());
        Assert.DoesNotContain("canary", string.Join('\n', node.Log.Lines));
    }

    [Fact]
    public async Task Kept_credentials_go_to_no_other_address()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        string body = "{\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1:1/main\", \"username\": \"cam\", \"password\": \"" + Canary + "\"}";
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(body))).JsonAsync();
        await (await admin.PutAsync("api/stream/cameras/door", Answers.Json("{\"rtsp_url\": \"rtsp://192.0.2.1/main\", \"password\": \"***\"}"))).ProblemAsync(HttpStatusCode.BadRequest);
        await (await admin.PutAsync("api/stream/cameras/door", Answers.Json("{\"rtsp_url\": \"rtsp://192.0.2.1/main\"}"))).JsonAsync();
        Assert.Null(node.Registry.Cameras.Find("door")!.Configuration.Password);
        Assert.Null(node.Registry.Cameras.Find("door")!.Configuration.Username);
    }

    [Theory]
    [InlineData("rtsp://192.0.2.1/@127.0.0.1/")]
    [InlineData("rtsp://127.0.0.1@192.0.2.1/")]
    [InlineData("rtsp://192.0.2.1#@127.0.0.1/x")]
    [InlineData("http://192.0.2.1/sub")]
    public async Task A_login_is_kept_for_no_second_rendition_on_another_host_however_it_is_written(string second)
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        string body = "{\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1:1/main\", \"username\": \"cam\", \"password\": \"" + Canary + "\"}";
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(body))).JsonAsync();
        using HttpResponseMessage answer = await admin.PutAsync("api/stream/cameras/door", Answers.Json($"{{\"sub_url\": \"{second}\"}}"));
        if (answer.IsSuccessStatusCode)
            Assert.Equal("127.0.0.1", EdgeNode.Ingest.Rtsp.RtspUrl.Parse(node.Registry.Cameras.Find("door")!.Configuration.SubUrl!.Reveal()).Host);
        else
            Assert.Contains("same host", await answer.ProblemAsync(HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("{\"camera_id\": \"door\\n\", \"name\": \"Door\", \"rtsp_url\": \"rtsp://127.0.0.1:1/\"}", "'camera_id' must be")]
    [InlineData("{\"camera_id\": \"door\", \"rtsp_url\": \"http://127.0.0.1:99999/\"}", "port from 1 to 65535")]
    [InlineData("{\"camera_id\": \"door\", \"rtsp_url\": \"RTSPS://127.0.0.1:99999/\"}", "port from 1 to 65535")]
    public async Task A_camera_that_cannot_be_is_not_added(string body, string expected)
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        Assert.Contains(expected, await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(body))).ProblemAsync(HttpStatusCode.BadRequest));
    }

    [Fact]
    public async Task Added_cameras_are_there_after_a_restart_and_sealed_meanwhile()
    {
        using var folder = new TemporaryFolder();
        NodeServer first = await NodeServer.StartAsync(folder: folder);
        using (HttpClient admin = first.Client(Role.Admin))
            await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(Added))).JsonAsync();
        await first.StopAsync();
        Assert.All(Directory.EnumerateFiles(folder.Path, StateDatabase.FileName + "*"), file => Assert.DoesNotContain("canary", File.ReadAllText(file, Encoding.Latin1)));

        NodeServer second = await NodeServer.StartAsync(folder: folder);
        Assert.Equal(["lobby", "door"], second.Registry.Cameras.All.Select(c => c.Id));
        Assert.Contains(Canary, second.Registry.Cameras.Find("door")!.Configuration.Url.Reveal());
        await second.StopAsync();
    }

    [Fact]
    public async Task Cameras_of_the_file_are_read_only_and_ids_are_taken_once()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        Assert.Contains("configuration file", await (await admin.PutAsync("api/stream/cameras/lobby", Answers.Json("{\"name\": \"x\"}"))).ProblemAsync(HttpStatusCode.Conflict));
        Assert.Contains("configuration file", await (await admin.DeleteAsync("api/stream/cameras/lobby")).ProblemAsync(HttpStatusCode.Conflict));
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json("{\"camera_id\": \"lobby\", \"rtsp_url\": \"rtsp://127.0.0.1:1/\"}"))).ProblemAsync(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_reload_of_the_file_leaves_alone_what_did_not_change_and_its_cameras_come_first()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(Added))).JsonAsync();
        Camera lobby = node.Registry.Cameras.Find("lobby")!;
        CameraConfiguration Of(string id) => new() { Id = id, Name = id, Url = new Secret("rtsp://127.0.0.1:1/file") };
        node.Registry.Apply([lobby.Configuration, Of("yard")]);
        Assert.Equal(["lobby", "door", "yard"], node.Registry.Cameras.All.Select(c => c.Id));
        Assert.Same(lobby, node.Registry.Cameras.Find("lobby"));

        node.Registry.Apply([Of("door")]);
        Assert.Equal("rtsp://127.0.0.1:1/file", Assert.Single(node.Registry.Cameras.All).Configuration.Url.Reveal());
        await (await admin.DeleteAsync("api/stream/cameras/door")).ProblemAsync(HttpStatusCode.Conflict);

        node.Registry.Apply([]);
        Assert.Contains(Canary, Assert.Single(node.Registry.Cameras.All).Configuration.Url.Reveal());
    }

    [Theory]
    [InlineData("\"camera_id\": \"Door\", \"rtsp_url\": \"rtsp://127.0.0.1/\"", "camera_id")]
    [InlineData("\"camera_id\": \"door\", \"rtsp_url\": \"file:/etc/passwd\"", "configuration file alone")]
    [InlineData("\"camera_id\": \"door\", \"rtsp_url\": \"exec:sh\"", "must begin with")]
    [InlineData("\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1/\", \"transport\": \"sctp\"", "tcp or udp")]
    [InlineData("\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1/\", \"fps\": 5", "no member 'fps'")]
    [InlineData("\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1/\", \"name\": \"a\\u0007\"", "'name'")]
    public async Task A_camera_that_cannot_be_is_refused_with_what_is_wrong(string members, string expected)
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        Assert.Contains(expected, await (await admin.PostAsync("api/stream/cameras/add", Answers.Json($"{{{members}}}"))).ProblemAsync(HttpStatusCode.BadRequest));
        Assert.Single(node.Registry.Cameras.All);
    }

    [Fact]
    public async Task The_newest_keyframe_is_a_picture_that_is_not_sent_twice()
    {
        await using NodeServer node = await NodeServer.StartAsync($"file:{clips.WithoutBFrames}");
        using HttpClient viewer = node.Client(Role.Viewer, NodeServer.FileCamera);
        await Eventually.TrueAsync(() => node.Registry.Cameras.All[0].Ingest.Status.State == CameraState.Streaming, "the film streams");
        HttpResponseMessage answer = await viewer.GetAsync("api/stream/cameras/lobby/snapshot.jpg");
        await Eventually.TrueAsync(() => answer.IsSuccessStatusCode, "a snapshot", () => answer = viewer.GetAsync("api/stream/cameras/lobby/snapshot.jpg").Result);
        Assert.Equal("image/jpeg", answer.Content.Headers.ContentType?.MediaType);
        StillImage picture = StillImage.Decode(await answer.Content.ReadAsByteArrayAsync(), "snapshot");
        Assert.Equal((SharedClips.Width, SharedClips.Height), (picture.Width, picture.Height));
        Assert.NotNull(answer.Headers.ETag);

        JsonElement list = await (await viewer.GetAsync("api/stream/cameras")).JsonAsync();
        Assert.Equal(SharedClips.Width, list.GetProperty("cameras")[0].GetProperty("width").GetInt32());
        Assert.Equal(JsonValueKind.Null, list.GetProperty("cameras")[0].GetProperty("rtsp_url").ValueKind);
    }

    [Fact]
    public async Task A_camera_that_is_away_has_no_snapshot_and_says_why()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient viewer = node.Client(Role.Viewer);
        Assert.Contains("The camera is", await (await viewer.GetAsync("api/stream/cameras/lobby/snapshot.jpg")).ProblemAsync(HttpStatusCode.ServiceUnavailable));
    }

    [Fact]
    public async Task A_known_camera_that_works_is_tried_and_described()
    {
        await using NodeServer node = await NodeServer.StartAsync($"file:{clips.WithoutBFrames}");
        using HttpClient admin = node.Client(Role.Admin);
        JsonElement answer = await (await admin.PostAsync("api/stream/cameras/test", Answers.Json("{\"camera_id\": \"lobby\"}"))).JsonAsync();
        Assert.True(answer.GetProperty("success").GetBoolean());
        Assert.StartsWith("avc1.", answer.GetProperty("codec").GetString());
        Assert.Equal((SharedClips.Width, SharedClips.Height), (answer.GetProperty("width").GetInt32(), answer.GetProperty("height").GetInt32()));
        Assert.Equal(SharedClips.Rate, answer.GetProperty("fps").GetDouble(), 0.5);
        Assert.Equal(1, answer.GetProperty("keyframe_interval").GetDouble(), 0.05);
        Assert.Equal(SharedClips.Width, StillImage.Decode(answer.GetProperty("picture").GetBytesFromBase64(), "picture").Width);
    }

    [Fact]
    public async Task A_camera_that_cannot_be_reached_is_tried_and_says_why_in_words()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        JsonElement answer = await (await admin.PostAsync("api/stream/cameras/test", Answers.Json("{\"rtsp_url\": \"rtsp://cam:" + Canary + "@127.0.0.1:1/x\"}"))).JsonAsync();
        Assert.False(answer.GetProperty("success").GetBoolean());
        Assert.Single(answer.GetProperty("remarks").EnumerateArray());
        Assert.DoesNotContain("canary", answer.GetRawText());
    }

    [Fact]
    public async Task Viewers_of_a_removed_camera_are_told_that_it_is_gone()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json("{\"camera_id\": \"door\", \"rtsp_url\": \"rtsp://127.0.0.1:1/\"}"))).JsonAsync();
        JsonElement session = await (await admin.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"door\"}"))).JsonAsync();
        string path = new Uri(session.GetProperty("view_url").GetString()!).PathAndQuery.TrimStart('/');
        using HttpClient player = node.Client(null);
        Task<HttpResponseMessage> waiting = player.GetAsync(path);
        await Eventually.TrueAsync(() => node.Registry.Cameras.Find("door")!.Live.IsRunning, "the player waits");
        await (await admin.DeleteAsync("api/stream/cameras/door")).JsonAsync();
        await (await waiting).ProblemAsync(HttpStatusCode.ServiceUnavailable);
        await (await player.GetAsync(path)).ProblemAsync(HttpStatusCode.Gone);
        JsonElement sessions = await (await admin.GetAsync("api/stream/playback/sessions")).JsonAsync();
        Assert.Empty(sessions.GetProperty("sessions").EnumerateArray());
    }

    [Fact]
    public async Task A_camera_of_a_token_for_another_is_neither_added_nor_tried()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin, "garage");
        await (await admin.PostAsync("api/stream/cameras/add", Answers.Json(Added))).ProblemAsync(HttpStatusCode.Forbidden);
        await (await admin.PostAsync("api/stream/cameras/test", Answers.Json("{\"camera_id\": \"lobby\"}"))).ProblemAsync(HttpStatusCode.Forbidden);
        await (await admin.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"))).ProblemAsync(HttpStatusCode.Forbidden);
    }
}
