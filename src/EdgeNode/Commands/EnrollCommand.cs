using System.CommandLine;
using EdgeNode.Access;
using EdgeNode.Configuration;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeNode.Commands;

/// <summary><c>edgenode enroll NAME PHOTO…</c> and <c>edgenode identities</c>: the gallery from the shell.</summary>
internal static class EnrollCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The person's name; photos are added to a person enrolled before." };
        var photos = new Argument<string[]>("PHOTO") { Description = "Photos of that person alone, from the front.", Arity = ArgumentArity.OneOrMore };
        Option<string?> config = CommonOptions.Config();
        var command = new Command("enroll", "Enrol a person from photos; a running node takes it up within seconds.") { name, photos, config };
        command.SetAction(parsed => Run(ConfigurationReader.ReadFile(parsed.GetValue(config)), parsed.GetRequiredValue(name).Trim(), parsed.GetRequiredValue(photos)));
        return command;
    }

    public static Command CreateList()
    {
        Option<string?> config = CommonOptions.Config();
        var remove = new Option<string?>("--remove") { Description = "Erase this person: references and name.", HelpName = "NAME" };
        var command = new Command("identities", "List who is enrolled.") { config, remove };
        command.SetAction(parsed =>
        {
            using StateDatabase database = Open(ConfigurationReader.ReadFile(parsed.GetValue(config)), out IdentityStore store);
            if (parsed.GetValue(remove) is string name)
            {
                Identity[] leaving = [.. store.List.Where(i => i.Name == name)];
                if (leaving.Length == 0)
                    throw new CommandFailure(CommandFailure.WrongUsage, $"Nobody named '{name}' is enrolled.");
                foreach (Identity identity in leaving)
                {
                    if (store.Remove(identity.Id))
                        Audit(database, AuditAction.IdentityErase, identity.Id);
                }

                return 0;
            }

            if (store.List.Count == 0)
                Console.Error.WriteLine("Nobody is enrolled.");
            foreach (Identity identity in store.List.OrderBy(i => i.Name, StringComparer.Ordinal))
                Console.WriteLine($"{identity.Id}  {identity.Name}  {identity.References.Count} references  since {identity.CreatedAt:yyyy-MM-dd}");
            return 0;
        });
        return command;
    }

    private static int Run(NodeConfiguration configuration, string name, string[] photos)
    {
        if (name.Length is 0 or > Identity.NameLengthAtMost || name.Any(char.IsControl))
            throw new CommandFailure(CommandFailure.WrongUsage, $"The name must have 1 to {Identity.NameLengthAtMost} characters, none of them a control character.");
        using FaceModels models = FaceModels.Load(CommonOptions.ModelFolder(configuration));
        var references = new List<FaceReference>();
        foreach (string photo in photos)
        {
            try
            {
                references.Add(PhotoEnrolment.FromPhoto(models, photo));
            }
            catch (EnrolmentException fault)
            {
                Console.Error.WriteLine($"edgenode: {fault.Message}");
            }
        }

        if (references.Count == 0)
            throw new CommandFailure(CommandFailure.AtRunTime, $"No photo of {name} could be used; nothing was changed.");
        using StateDatabase database = Open(configuration, out IdentityStore store);
        Identity? known = store.List.FirstOrDefault(i => i.Name == name);
        // Unknown, or erased this moment by the node.
        if ((known is null ? null : store.Change(known.Id, now => now.With(references: Together(now.References)))) is not Identity enrolled)
            store.Add(enrolled = Identity.Create(name, Together([]), TimeProvider.System));
        Audit(database, AuditAction.IdentityEnroll, enrolled.Id);
        Console.WriteLine($"{name}: {references.Count} of {photos.Length} photos enrolled, {enrolled.References.Count} references in all.");
        return references.Count == photos.Length ? 0 : CommandFailure.AtRunTime;

        FaceReference[] Together(IReadOnlyList<FaceReference> before) => before.Count + references.Count <= Identity.ReferencesAtMost
            ? [.. before, .. references]
            : throw new CommandFailure(CommandFailure.WrongUsage, $"{name} would have {before.Count + references.Count} references, more than {Identity.ReferencesAtMost}; a dozen different ones are enough.");
    }

    private static void Audit(StateDatabase database, AuditAction action, Guid id) => ShellAudit.Record(database, action, $"identity:{id}");

    private static StateDatabase Open(NodeConfiguration configuration, out IdentityStore store)
    {
        using ILoggerFactory logs = LoggerFactory.Create(ConsoleLog.Configure);
        ILogger log = logs.CreateLogger("edgenode");
        StateDatabase database = StateDatabase.Open(configuration.Node.State, log);
        store = IdentityStore.Open(database, DeviceKey.LoadOrCreate(configuration.Node.State), log);
        return database;
    }
}
