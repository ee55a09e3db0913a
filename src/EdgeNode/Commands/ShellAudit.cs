using EdgeNode.Access;
using EdgeNode.Storage;

namespace EdgeNode.Commands;

/// <summary>What is done from the shell stands in the audit log, too: by <c>system</c>, for whoever has the state folder has no token.</summary>
internal static class ShellAudit
{
    /// <summary>Writes an entry; on disk when it returns, where the disk takes it.</summary>
    public static void Record(StateDatabase database, AuditAction action, string obj)
    {
        var log = new AuditLog(database, TimeProvider.System);
        log.Record(null, action, obj);
        log.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
