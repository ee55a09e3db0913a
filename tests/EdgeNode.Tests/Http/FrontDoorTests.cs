using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Configuration;
using EdgeNode.Http;
using EdgeNode.Tests.Media;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace EdgeNode.Tests.Http;

public sealed class FrontDoorTests : IAsyncLifetime
{
    private NodeServer _node = null!;

    public async Task InitializeAsync() => _node = await NodeServer.StartAsync(http: http => http with { Cors = ["https://dash.example"] });

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Errors_of_the_server_itself_are_problems_too()
    {
        using HttpClient admin = _node.Client(Role.Admin);
        Assert.Contains("no such route", await (await admin.GetAsync("api/nothing")).ProblemAsync(HttpStatusCode.NotFound));
        using HttpResponseMessage wrongMethod = await admin.PostAsync("api/stream/health", null);
        await wrongMethod.ProblemAsync(HttpStatusCode.MethodNotAllowed);
        Assert.Contains("GET", wrongMethod.Content.Headers.Allow);
        await (await admin.PostAsync("api/tokens", new StringContent(new string(' ', 300_000), Encoding.UTF8, "application/json"))).ProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        Assert.Contains("Content-Type: application/json", await (await admin.PostAsync("api/tokens", new FormUrlEncodedContent([]))).ProblemAsync(HttpStatusCode.UnsupportedMediaType));
    }

    [Theory]
    [InlineData("", "one JSON object")]
    [InlineData("[]", "one JSON object")]
    [InlineData("{\"camera_id\": \"lobby\",}", "one JSON object")]
    [InlineData("{\"camera_id\": \"lobby\", \"camera_id\": \"vault\"}", "one JSON object")]
    [InlineData("{}", "'camera_id' is missing")]
    [InlineData("{\"camera_id\": null}", "'camera_id' is missing")]
    [InlineData("{\"camera_id\": 7}", "'camera_id' is not of its kind")]
    [InlineData("{\"camera_id\": \"lobby\", \"user\": \"ada\"}", "no member 'user': there are camera_id, user_id")]
    public async Task A_body_that_is_not_understood_is_refused_with_what_is_wrong(string body, string expected)
    {
        using HttpClient admin = _node.Client(Role.Admin);
        using HttpResponseMessage answer = await admin.PostAsync("api/stream/playback/create-session", Answers.Json(body));
        Assert.Contains(expected, await answer.ProblemAsync(HttpStatusCode.BadRequest));
    }

    [Fact]
    public async Task A_token_for_a_camera_without_a_name_is_refused()
    {
        using HttpClient admin = _node.Client(Role.Admin);
        using HttpResponseMessage answer = await admin.PostAsync("api/tokens", Answers.Json("{\"name\": \"x\", \"cameras\": [null]}"));
        Assert.Contains("ids of one camera or more", await answer.ProblemAsync(HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("/live/x%2fy/lobby/index.m3u8")]
    [InlineData("/api/%2e%2e/api/tokens")]
    [InlineData("/api/./tokens")]
    [InlineData("/api/stream/../tokens")]
    [InlineData("/api/stream%5c../tokens")]
    public async Task A_path_that_can_be_read_in_two_ways_is_refused(string path)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _node.Server.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        string answer = await new StreamReader(client.GetStream()).ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400", answer);
        Assert.Contains("application/problem+json", answer);
    }

    [Fact]
    public async Task Pages_of_configured_origins_alone_may_call()
    {
        using HttpClient client = _node.Client(null);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "api/stream/cameras");
        preflight.Headers.Add("Origin", "https://dash.example");
        preflight.Headers.Add("Access-Control-Request-Method", "GET");
        using HttpResponseMessage allowed = await client.SendAsync(preflight);
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal(["https://dash.example"], allowed.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains("Authorization", allowed.Headers.GetValues("Access-Control-Allow-Headers").Single());

        using var other = new HttpRequestMessage(HttpMethod.Get, "healthz");
        other.Headers.Add("Origin", "https://evil.example");
        using HttpResponseMessage refused = await client.SendAsync(other);
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_node_that_is_not_ready_says_why()
    {
        await using NodeServer starting = await NodeServer.StartAsync(change: subjects => subjects with { Hindrances = () => ["The database cannot be written."] });
        using HttpClient client = starting.Client(null);
        Assert.Equal("The database cannot be written.", await (await client.GetAsync("readyz")).ProblemAsync(HttpStatusCode.ServiceUnavailable));
        Assert.Equal("ok\n", await client.GetStringAsync("healthz"));
    }

    [Fact]
    public async Task Metrics_are_of_the_cameras_that_the_token_shows()
    {
        using HttpClient viewer = _node.Client(Role.Viewer);
        string text = await viewer.GetStringAsync("metrics");
        Assert.Contains("edgenode_info{version=\"1.2.3\"} 1\n", text);
        Assert.Contains("edgenode_camera_state{camera=\"lobby\",state=\"streaming\"} 0\n", text);
        Assert.All(text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{[^}]+\\})? -?[0-9.E+-]+)$", line));
        string[] names = [.. text.Split('\n').Where(l => l.StartsWith("# TYPE")).Select(l => l.Split(' ')[2])];
        Assert.Equal(names.Length, names.Distinct().Count());

        using HttpClient other = _node.Client(Role.Viewer, "other");
        Assert.DoesNotContain("lobby", await other.GetStringAsync("metrics"));
    }

    [Fact]
    public async Task An_api_token_serves_until_it_is_revoked_and_the_audit_log_knows()
    {
        using HttpClient admin = _node.Client(Role.Admin);
        JsonElement issued = await (await admin.PostAsync("api/tokens", Answers.Json("{\"name\": \"Prometheus\", \"lifetime\": \"90d\"}"))).JsonAsync();
        string id = issued.GetProperty("entry").GetProperty("id").GetString()!;
        using HttpClient scraper = _node.Client(null);
        scraper.DefaultRequestHeaders.Authorization = new("Bearer", issued.GetProperty("token").GetString());
        (await scraper.GetAsync("metrics")).EnsureSuccessStatusCode();
        JsonElement listed = await (await admin.GetAsync("api/tokens")).JsonAsync();
        Assert.Equal("viewer", listed.GetProperty("tokens")[0].GetProperty("role").GetString());
        Assert.DoesNotContain(issued.GetProperty("token").GetString()!, listed.GetRawText());

        await (await admin.DeleteAsync($"api/tokens/{id}")).JsonAsync();
        await (await scraper.GetAsync("metrics")).ProblemAsync(HttpStatusCode.Unauthorized);
        await (await admin.DeleteAsync("api/tokens/none")).ProblemAsync(HttpStatusCode.NotFound);
        Assert.Contains("lifetime", await (await admin.PostAsync("api/tokens", Answers.Json("{\"name\": \"x\", \"lifetime\": \"ever\"}"))).ProblemAsync(HttpStatusCode.BadRequest));
        Assert.DoesNotContain("Parameter", await (await admin.PostAsync("api/tokens", Answers.Json("{\"name\": \"\"}"))).ProblemAsync(HttpStatusCode.BadRequest));

        JsonElement audit = await (await admin.GetAsync("api/audit")).JsonAsync();
        Assert.Equal(["token_revoke", "token_issue"], audit.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("action").GetString()));
        using HttpClient partial = _node.Client(Role.Admin, "lobby");
        Assert.Contains("all cameras", await (await partial.GetAsync("api/audit")).ProblemAsync(HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Reloading_tells_how_it_went()
    {
        using (HttpClient admin = _node.Client(Role.Admin))
            await (await admin.PostAsync("api/config/reload", null)).ProblemAsync(HttpStatusCode.Conflict);
        await using NodeServer node = await NodeServer.StartAsync(change: subjects => subjects with { Reload = () => ReloadResult.Refused(["line 3: no such key."], []) });
        using HttpClient other = node.Client(Role.Admin);
        Assert.Equal("line 3: no such key.", await (await other.PostAsync("api/config/reload", null)).ProblemAsync(HttpStatusCode.UnprocessableEntity));
    }

    [Fact]
    public async Task Wrong_tokens_are_slowed_down_and_right_ones_never()
    {
        using HttpClient guesser = _node.Client(null);
        guesser.DefaultRequestHeaders.Authorization = new("Bearer", "eyJ.eyJ.xx");
        HttpStatusCode last = HttpStatusCode.Unauthorized;
        for (int i = 0; i < 200 && last == HttpStatusCode.Unauthorized; i++)
        {
            using HttpResponseMessage answer = await guesser.GetAsync("api/stream/cameras");
            last = answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        using HttpClient viewer = _node.Client(Role.Viewer);
        (await viewer.GetAsync("api/stream/cameras")).EnsureSuccessStatusCode();
    }

    [Fact]
    public void Who_did_something_too_often_may_again_after_a_while()
    {
        var time = new FakeTimeProvider();
        var allowance = new Allowance<string>(3, TimeSpan.FromSeconds(2), time);
        Assert.True(allowance.TryTake("ada") && allowance.TryTake("ada") && allowance.TryTake("ada"));
        Assert.False(allowance.TryTake("ada"));
        Assert.True(allowance.TryTake("eve"));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(allowance.TryTake("ada"));
        Assert.False(allowance.TryTake("ada"));
    }

    [Fact]
    public void Somebody_holds_as_many_places_as_he_may()
    {
        var places = new Occupancy<string>(2);
        Assert.True(places.TryEnter("ada") && places.TryEnter("ada"));
        Assert.False(places.TryEnter("ada"));
        Assert.True(places.TryEnter("eve"));
        places.Leave("ada");
        Assert.True(places.TryEnter("ada"));
    }

    [Theory]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:1:2:3", true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    public void One_host_is_counted_as_one_whichever_of_its_addresses_it_uses(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ClientNetwork.Of(IPAddress.Parse(one)).Equals(ClientNetwork.Of(IPAddress.Parse(other))));

    [Fact]
    public void A_client_that_went_away_is_no_trouble_of_the_disk()
    {
        var context = new DefaultHttpContext();
        Assert.True(HttpServer.HasLeft(context, new IOException("The request stream was aborted.", new ConnectionAbortedException())));
        Assert.True(HttpServer.HasLeft(context, new ConnectionResetException("Reset.")));
        Assert.False(HttpServer.HasLeft(context, new IOException("No space left on device.")));
        Assert.False(HttpServer.HasLeft(context, new OperationCanceledException()));
        context.RequestAborted = new CancellationToken(canceled: true);
        Assert.True(HttpServer.HasLeft(context, new OperationCanceledException()));
    }

    [Fact]
    public async Task An_api_tokens_sessions_end_with_it_although_the_node_was_restarted_meanwhile()
    {
        using var folder = new TemporaryFolder();
        string id, session;
        NodeServer first = await NodeServer.StartAsync(folder: folder);
        using (HttpClient admin = first.Client(Role.Admin))
        {
            JsonElement issued = await (await admin.PostAsync("api/tokens", Answers.Json("{\"name\": \"Dashboard\"}"))).JsonAsync();
            id = issued.GetProperty("entry").GetProperty("id").GetString()!;
            admin.DefaultRequestHeaders.Authorization = new("Bearer", issued.GetProperty("token").GetString());
            session = (await (await admin.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"))).JsonAsync()).GetProperty("token").GetString()!;
        }

        await first.StopAsync();
        NodeServer second = await NodeServer.StartAsync(folder: folder);
        using HttpClient player = second.Client(null);
        player.DefaultRequestHeaders.Authorization = new("Bearer", session);
        (await player.GetAsync("api/stream/cameras")).EnsureSuccessStatusCode();
        using (HttpClient admin = second.Client(Role.Admin))
            await (await admin.DeleteAsync($"api/tokens/{id}")).JsonAsync();
        await (await player.GetAsync("api/stream/cameras")).ProblemAsync(HttpStatusCode.Unauthorized);
        await (await player.GetAsync($"live/{session}/lobby/index.m3u8")).ProblemAsync(HttpStatusCode.Gone);
        await second.StopAsync();
    }

    [Fact]
    public async Task A_token_that_stands_in_no_list_is_revoked_by_its_id_for_as_long_as_it_would_have_lasted()
    {
        using var folder = new TemporaryFolder();
        NodeServer first = await NodeServer.StartAsync(folder: folder);
        (string leaked, AccessGrant grant) = first.Tokens.Issue("shell", Role.Admin, null, metadata: true, TimeSpan.FromDays(3650));
        using (HttpClient admin = first.Client(Role.Admin))
            await (await admin.DeleteAsync($"api/tokens/{grant.SessionId}")).JsonAsync();
        Assert.Equal(TokenVerdict.Revoked, (await first.Tokens.ValidateAsync(leaked)).Verdict);
        await first.StopAsync();
        NodeServer second = await NodeServer.StartAsync(folder: folder);
        Assert.Equal(TokenVerdict.Revoked, (await second.Tokens.ValidateAsync(leaked)).Verdict);
        await second.StopAsync();
    }

    [Fact]
    public async Task A_sessions_token_makes_no_further_sessions()
    {
        using HttpClient viewer = _node.Client(Role.Viewer, "lobby");
        JsonElement session = await (await viewer.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"))).JsonAsync();
        viewer.DefaultRequestHeaders.Authorization = new("Bearer", session.GetProperty("token").GetString());
        Assert.Contains("of a session", await (await viewer.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"))).ProblemAsync(HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Making_and_ending_sessions_without_end_is_slowed_down()
    {
        using HttpClient viewer = _node.Client(Role.Viewer, "lobby");
        HttpStatusCode last = HttpStatusCode.OK;
        for (int i = 0; i < 1000 && last == HttpStatusCode.OK; i++)
        {
            using HttpResponseMessage made = await viewer.PostAsync("api/stream/playback/create-session", Answers.Json("{\"camera_id\": \"lobby\"}"));
            last = made.StatusCode;
            if (last == HttpStatusCode.OK)
                await viewer.DeleteAsync($"api/stream/playback/{(await made.JsonAsync()).GetProperty("session_id").GetString()}");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
    }
}
