using EdgeNode.Access;
using EdgeNode.Events;
using EdgeNode.Gallery;
using EdgeNode.Storage;
using EdgeNode.Tests.Events;
using Microsoft.Extensions.Logging.Abstractions;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Storage;

/// <summary>
/// The program that <see cref="KillTests"/> kills: writes to a state folder through everything that writes there, and says each thing on standard output once it
/// is on disk: <c>r JTI</c> revoked, <c>i ID</c> enrolled, <c>x ID</c> erased, <c>e ID</c> event, <c>d</c> daily copy.
/// </summary>
internal static class KilledWriter
{
    internal static int Main(string[] arguments)
    {
        string folder = arguments[0];
        Say("begin");
        using NodeLock node = NodeLock.Take(folder);
        using StateDatabase database = StateDatabase.Open(folder);
        IdentityStore gallery = IdentityStore.Open(database, DeviceKey.LoadOrCreate(folder), NullLogger.Instance);
        var revocations = new Revocations(database, TimeProvider.System);
        using var log = new EventLog(database, _ => null, TimeProvider.System, NullLogger.Instance);
        log.Committed += e => Say($"e {e.EventId}/{e.Seq}");
        log.Start();
        Say("opened");
        for (int i = 0; ; i++)
        {
            log.Append(SampleEvents.Event(1, i % 2 == 0 ? FaceEventPhase.Started : FaceEventPhase.Ended, id: Guid.CreateVersion7()));
            string session = Guid.NewGuid().ToString("N");
            revocations.Add([(session, DateTime.UtcNow.AddDays(1))]);
            Say($"r {session}");
            Identity person = Person($"Person {i}", Face((i % 8, 1)));
            gallery.Add(person);
            Say($"i {person.Id}");
            if (gallery.List.Count > 5)
            {
                Guid leaving = gallery.List[0].Id;
                gallery.Remove(leaving);
                Say($"x {leaving}");
            }

            if (i % 10 == 9)
            {
                database.MakeDailyCopy();
                Say("d");
            }
        }
    }

    // One write each: two threads speak.
    private static void Say(string line)
    {
        lock (Console.Out)
        {
            Console.Out.Write(line + "\n");
            Console.Out.Flush();
        }
    }
}
