using System.Net;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Http;

namespace EdgeNode.Tests.Http;

public sealed class AttendanceRoutesTests
{
    private static readonly AttendanceEntry Row = new(
        Guid.Parse("0198a000-0000-7000-8000-000000000001"), "=HYPERLINK(\"x\"), Ada", new DateOnly(2026, 1, 31),
        new DateTime(2026, 1, 31, 8, 0, 0, DateTimeKind.Utc), new DateTime(2026, 1, 31, 17, 30, 1, 500, DateTimeKind.Utc), ["door", "lobby"]);

    [Fact]
    public void A_spreadsheet_takes_no_name_for_a_formula() => Assert.Equal(
        "person_id,name,day,first,last,cameras\r\n0198a000-0000-7000-8000-000000000001,\"'=HYPERLINK(\"\"x\"\"), Ada\",2026-01-31,2026-01-31T08:00:00.000Z,2026-01-31T17:30:01.500Z,door lobby\r\n",
        AttendanceRoutes.ToCsv([Row]));

    [Fact]
    public async Task Days_are_asked_for_with_the_cameras_of_the_token_and_come_as_json_or_csv()
    {
        (DateOnly From, DateOnly To, bool Lobby, bool Vault)? asked = null;
        await using NodeServer node = await NodeServer.StartAsync(change: subjects => subjects with
        {
            Attendance = (from, to, allows) =>
            {
                asked = (from, to, allows("lobby"), allows("vault"));
                return [Row];
            },
        });
        using HttpClient client = node.Client(Role.Operator, "lobby");
        JsonElement json = await (await client.GetAsync("api/attendance?from=2026-01-01&to=2026-01-31")).JsonAsync();
        Assert.Equal((new DateOnly(2026, 1, 1), new DateOnly(2026, 1, 31), true, false), asked);
        Assert.Equal("2026-01-31", json.GetProperty("attendance")[0].GetProperty("day").GetString());
        using HttpResponseMessage csv = await client.GetAsync("api/attendance?from=2026-01-01&to=2026-01-31&format=csv");
        Assert.Equal("text/csv", csv.Content.Headers.ContentType?.MediaType);
        foreach (string query in (string[])["from=2026-02-01&to=2026-01-01", "from=yesterday", "format=xlsx", "from=2020-01-01&to=2026-01-01"])
            await (await client.GetAsync($"api/attendance?{query}")).ProblemAsync(HttpStatusCode.BadRequest);
    }
}
