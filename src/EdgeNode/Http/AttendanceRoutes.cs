using System.Globalization;
using System.Text;
using EdgeNode.Access;
using EdgeNode.Events;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Who was seen when, as JSON or CSV (RFC 4180).</summary>
internal sealed class AttendanceRoutes(EventLog events, AuditLog audit, TimeProvider time)
{
    public void Map(Guard guard) => guard.Map(new ApiRoute(HttpMethods.Get, "/api/attendance", "First and last time a person a day, with the cameras.", Role.Operator, SendAsync)
    {
        Query =
        [
            new ApiParameter("from", "First day, such as 2026-01-31 (UTC); left out: today."),
            new ApiParameter("to", "Last day; left out: today."),
            new ApiParameter("format", "json (default) or csv."),
        ],
        Answer = HttpJson.Default.AttendanceList,
    });

    /// <summary>The rows as CSV, with a header line; what a spreadsheet would take for a formula begins with an apostrophe.</summary>
    internal static string ToCsv(IEnumerable<AttendanceRow> rows)
    {
        var text = new StringBuilder("identity_id,name,day,first_seen,last_seen,cameras\r\n");
        foreach (AttendanceRow row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.IdentityId},{Field(row.Name ?? "")},{row.Day:yyyy-MM-dd},{Time(row.FirstSeen)},{Time(row.LastSeen)},{Field(string.Join(' ', row.Cameras))}\r\n");
        }

        return text.ToString();
    }

    private Task SendAsync(HttpContext context, AccessGrant grant)
    {
        DateOnly from = Day(context, "from");
        DateOnly to = Day(context, "to");
        if (to < from || to.DayNumber - from.DayNumber >= AttendanceRow.DaysAtMost)
            throw new RefusedException(Problem.BadRequest($"'to' must not come before 'from', and both lie within {AttendanceRow.DaysAtMost} days."));
        string format = context.Request.Query["format"].ToString();
        if (format is not ("" or "json" or "csv"))
            throw new RefusedException(Problem.BadRequest("'format' must be json or csv."));
        IReadOnlyList<AttendanceRow> rows = events.Attendance(from, to, grant.Allows);
        audit.Record(grant, AuditAction.AttendanceExport, $"attendance:{from:yyyy-MM-dd}..{to:yyyy-MM-dd}");
        if (format != "csv")
            return WriteJson.SendAsync(context, new AttendanceList(from, to, rows), HttpJson.Default.AttendanceList);
        context.Response.Headers.ContentDisposition = string.Create(CultureInfo.InvariantCulture, $"attachment; filename=\"attendance-{from:yyyy-MM-dd}-{to:yyyy-MM-dd}.csv\"");
        return WriteJson.SendAsync(context, Encoding.UTF8.GetBytes(ToCsv(rows)), "text/csv; charset=utf-8");
    }

    private DateOnly Day(HttpContext context, string name)
    {
        string text = context.Request.Query[name].ToString();
        if (text.Length == 0)
            return DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day)
            ? day
            : throw new RefusedException(Problem.BadRequest($"'{name}' must be a day such as 2026-01-31."));
    }

    private static string Time(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Field(string text)
    {
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r')
            text = "'" + text;
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
