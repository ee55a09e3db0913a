using System.CommandLine;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Storage;

namespace EdgeNode.Commands;

/// <summary><c>edgenode token</c>: mints a token with the node's key, for who has the state folder.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var camera = new Option<string[]>("--camera") { Description = "Camera id, or '*' for all; may be given several times.", Required = true, HelpName = "ID" };
        var role = new Option<string>("--role") { Description = "viewer, operator or admin.", DefaultValueFactory = _ => "viewer", HelpName = "ROLE" };
        var lifetime = new Option<string>("--for") { Description = "How long it is valid, such as 30m or 7d.", DefaultValueFactory = _ => "30m", HelpName = "DURATION" };
        var subject = new Option<string>("--subject") { Description = "Who it is for; stands in logs.", DefaultValueFactory = _ => "cli", HelpName = "S" };
        Option<string?> config = CommonOptions.Config();
        var command = new Command("token", "Print a token and the view URL of its first camera.") { camera, role, lifetime, subject, config };
        command.SetAction(parsed =>
        {
            NodeConfiguration configuration = ConfigurationReader.ReadFile(parsed.GetValue(config));
            if (AccessTokens.RoleOf(parsed.GetValue(role)) is not Role granted)
                throw new CommandFailure(CommandFailure.WrongUsage, $"--role must be viewer, operator or admin, not '{parsed.GetValue(role)}'.");
            if (!DurationText.TryParse(parsed.GetValue(lifetime)!, out TimeSpan duration) || duration <= TimeSpan.Zero)
                throw new CommandFailure(CommandFailure.WrongUsage, $"--for must be a duration with its unit, such as 30m or 7d, of 100 years at most, not '{parsed.GetValue(lifetime)}'.");
            string[] cameras = parsed.GetRequiredValue(camera);
            using SigningKey key = SigningKey.LoadOrCreate(configuration.Node.State);
            using StateDatabase database = StateDatabase.Open(configuration.Node.State);
            string[] known = [.. configuration.Cameras.Select(c => c.Id), .. CameraStore.Ids(database)];
            string? stranger = cameras.FirstOrDefault(id => id != "*" && !known.Contains(id));
            if (stranger is not null)
                throw new CommandFailure(CommandFailure.WrongUsage, $"There is no camera '{stranger}'; there are: {string.Join(", ", known.Distinct())}.");
            var tokens = new AccessTokens(key, new Revocations(database, TimeProvider.System), configuration.Node.Site, configuration.Node.Id, TimeProvider.System);
            string token;
            try
            {
                (token, AccessGrant grant) = tokens.Issue(parsed.GetValue(subject)!, granted, cameras.Contains("*") ? null : cameras, metadata: false, duration);
                ShellAudit.Record(database, AuditAction.TokenIssue, $"token:{grant.SessionId}");
            }
            catch (ArgumentException fault)
            {
                throw new CommandFailure(CommandFailure.WrongUsage, fault.Message);
            }

            Console.WriteLine($"token: {token}");
            string? first = cameras[0] == "*" ? known.FirstOrDefault() : cameras[0];
            if (first is not null)
                Console.WriteLine($"view: {ViewUrl.Of(configuration, configuration.Http.Https?.Port ?? configuration.Http.Port, token, first)}");
            return 0;
        });
        return command;
    }
}
