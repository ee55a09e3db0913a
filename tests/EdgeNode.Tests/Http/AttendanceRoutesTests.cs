using System.Net;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Http;
using static EdgeNode.Tests.Events.SampleEvents;

namespace EdgeNode.Tests.Http;

public sealed class AttendanceRoutesTests
{
    [Fact]
    public void A_spreadsheet_takes_no_name_for_a_formula()
    {
        var row = new AttendanceRow(
            Guid.Parse("0198a000-0000-7000-8000-000000000001"), "=HYPERLINK(\"x\"), Ada", new DateOnly(2026, 1, 31),
            new DateTime(2026, 1, 31, 8, 0, 0, DateTimeKind.Utc), new DateTime(2026, 1, 31, 17, 30, 1, 500, DateTimeKind.Utc), ["door", "lobby"]);
        Assert.Equal(
            "identity_id,name,day,first_seen,last_seen,cameras\r\n0198a000-0000-7000-8000-000000000001,\"'=HYPERLINK(\"\"x\"\"), Ada\",2026-01-31,2026-01-31T08:00:00.000Z,2026-01-31T17:30:01.500Z,door lobby\r\n",
            AttendanceRoutes.ToCsv([row]));
    }

    [Theory]
    [InlineData("0001-01-01")]
    [InlineData("9999-12-31")]
    public async Task The_first_and_the_last_day_of_all_are_days_like_others(string day)
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient admin = node.Client(Role.Admin);
        using HttpResponseMessage answer = await admin.GetAsync($"api/attendance?from={day}&to={day}");
        Assert.Equal(0, (await answer.JsonAsync()).GetProperty("attendance").GetArrayLength());
    }

    [Fact]
    public async Task Days_are_answered_as_json_or_csv_from_the_cameras_that_the_token_shows()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        Identity ada = Identity.Create("Ada", [new FaceReference("pack", [1, 0])], TimeProvider.System);
        node.Subjects.Identities.Add(ada);
        foreach ((string camera, int hour) in (ReadOnlySpan<(string, int)>)[("lobby", 8), ("vault", 12)])
        {
            var at = new DateTime(2026, 1, 31, hour, 0, 0, DateTimeKind.Utc);
            node.Events.Append(Event(1, FaceEventPhase.Started, camera, Guid.CreateVersion7()) with
            {
                StartedAt = at,
                UpdatedAt = at,
                Identity = new FaceEventIdentity(ada.Id, ada.Name, 0.7, 0.4, RecognitionStatus.Recognized),
            });
        }

        Assert.True(node.Events.Flush(TimeSpan.FromSeconds(30)));
        using HttpClient client = node.Client(Role.Operator, "lobby");
        JsonElement json = await (await client.GetAsync("api/attendance?from=2026-01-01&to=2026-01-31")).JsonAsync();
        JsonElement row = Assert.Single(json.GetProperty("attendance").EnumerateArray());
        Assert.Equal(("Ada", "2026-01-31", "2026-01-31T08:00:00.000Z"), (row.GetProperty("name").GetString(), row.GetProperty("day").GetString(), row.GetProperty("last_seen").GetString()));
        Assert.Equal(["lobby"], row.GetProperty("cameras").EnumerateArray().Select(c => c.GetString()));

        using HttpResponseMessage csv = await client.GetAsync("api/attendance?from=2026-01-01&to=2026-01-31&format=csv");
        Assert.Equal("text/csv", csv.Content.Headers.ContentType?.MediaType);
        Assert.Contains($"\r\n{ada.Id},Ada,2026-01-31,", await csv.Content.ReadAsStringAsync());
        foreach (string query in (string[])["from=2026-02-01&to=2026-01-01", "from=yesterday", "format=xlsx", "from=2020-01-01&to=2026-01-01"])
            await (await client.GetAsync($"api/attendance?{query}")).ProblemAsync(HttpStatusCode.BadRequest);
    }
}
