using System.Globalization;
using EdgeNode.Access;
using EdgeNode.Configuration;
using EdgeNode.Streaming;
using Microsoft.AspNetCore.Http;

namespace EdgeNode.Http;

/// <summary>Long-lived API tokens, and the audit log.</summary>
internal sealed class TokenRoutes(ApiTokens apiTokens, AccessTokens minter, PlaybackSessions sessions, Revocations revocations, AuditLog audit)
{
    private const int EntriesAtOnce = 100;

    public void Map(Guard guard)
    {
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/tokens", "The API tokens; not the tokens themselves, which are shown once.", Role.Admin, ListAsync) { IsOfWholeNode = true, Answer = HttpJson.Default.TokenList });
        guard.Map(new ApiRoute(HttpMethods.Post, "/api/tokens", "Makes an API token.", Role.Admin, IssueAsync) { IsOfWholeNode = true, Request = HttpJson.Default.IssueTokenRequest, Answer = HttpJson.Default.IssueTokenAnswer });
        guard.Map(new ApiRoute(HttpMethods.Delete, "/api/tokens/{id}", "Revokes an API token, or any other token of this node by its jti (the audit log shows it), and ends the sessions made with it.", Role.Admin, RevokeAsync) { IsOfWholeNode = true, Answer = HttpJson.Default.Success });
        guard.Map(new ApiRoute(HttpMethods.Get, "/api/audit", "Who viewed, enrolled, erased and changed; the newest first.", Role.Admin, AuditAsync)
        {
            IsOfWholeNode = true,
            Query = [new ApiParameter("before", "'next' of an earlier answer; left out: the newest.", Type: "integer"), new ApiParameter("limit", "Entries at most, 1 to 1000; 100 when left out.", Type: "integer")],
            Answer = HttpJson.Default.AuditPage,
        });
    }

    private Task ListAsync(HttpContext context, AccessGrant grant) =>
        WriteJson.SendAsync(context, new TokenList([.. apiTokens.List().Select(Describe)]), HttpJson.Default.TokenList);

    private async Task IssueAsync(HttpContext context, AccessGrant grant)
    {
        IssueTokenRequest request = await RequestBody.ReadAsync(context, HttpJson.Default.IssueTokenRequest);
        Role role = request.Role is null
            ? Role.Viewer
            : AccessTokens.RoleOf(request.Role) ?? throw new RefusedException(Problem.BadRequest("'role' must be viewer, operator or admin."));
        TimeSpan? lifetime = null;
        if (request.Lifetime is not null)
        {
            lifetime = DurationText.TryParse(request.Lifetime, out TimeSpan given)
                ? given
                : throw new RefusedException(Problem.BadRequest("'lifetime' must be a duration with its unit, such as 90d."));
        }

        try
        {
            (string token, ApiToken entry) = apiTokens.Issue(minter, request.Name, role, request.Cameras, request.Meta, lifetime);
            audit.Record(grant, AuditAction.TokenIssue, $"token:{entry.Id}");
            await WriteJson.SendAsync(context, new IssueTokenAnswer(true, token, Describe(entry)), HttpJson.Default.IssueTokenAnswer);
        }
        catch (ArgumentException fault)
        {
            // Without the name of a parameter that .NET adds.
            throw new RefusedException(Problem.BadRequest(fault.ParamName is { } name ? fault.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : fault.Message));
        }
        catch (InvalidOperationException full)
        {
            throw new RefusedException(Problem.Conflict(full.Message));
        }
    }

    private Task RevokeAsync(HttpContext context, AccessGrant grant)
    {
        string id = context.Request.RouteValues["id"] as string ?? "";
        if (!apiTokens.Revoke(id))
            RevokeOther(id);
        revocations.Add(sessions.Remove(id).Select(ended => (ended.SessionId, ended.ExpiresAt.UtcDateTime)));
        audit.Record(grant, AuditAction.TokenRevoke, $"token:{id}");
        return WriteJson.SendAsync(context, new Success(true), HttpJson.Default.Success);
    }

    // A view URL that went to the wrong people, the first admin token: they stand in no list.
    private void RevokeOther(string id)
    {
        if (!AccessTokens.IsId(id))
            throw new RefusedException(Problem.NotFound("There is no API token with that id, and no other token has one like it."));
        if (!revocations.TryAddForGood(id))
            throw new RefusedException(Problem.Conflict("As many revoked tokens are remembered as may be: stop the node and delete signing-key.pem in its state folder, which ends every token."));
    }

    private async Task AuditAsync(HttpContext context, AccessGrant grant)
    {
        long? before = Number(context, "before");
        long limit = Number(context, "limit") ?? EntriesAtOnce;
        if (limit is < 1 or > AuditLog.LargestPage)
            throw new RefusedException(Problem.BadRequest($"'limit' must be from 1 to {AuditLog.LargestPage}."));
        await WriteJson.SendAsync(context, await audit.ReadAsync(before, (int)limit), HttpJson.Default.AuditPage);
    }

    private static long? Number(HttpContext context, string name)
    {
        string text = context.Request.Query[name].ToString();
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new RefusedException(Problem.BadRequest($"'{name}' must be a whole number."));
    }

    private static TokenEntry Describe(ApiToken token) => new(
        token.Id, token.Name, AccessTokens.NameOf(token.Role), token.Cameras, token.Metadata, token.CreatedAt, token.ExpiresAt, token.LastUsedAt, token.RevokedAt);
}
