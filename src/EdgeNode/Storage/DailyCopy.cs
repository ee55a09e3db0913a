using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Storage;

/// <summary>
/// The copy from which a damaged database is restored, <c>state.db.daily</c>: all tables, of the large ones only the form. Events and
/// their shots are gigabytes that would wear the card every day, and nobody loses access or faces without them.
/// </summary>
internal static class DailyCopy
{
    private static readonly string[] LargeTables = ["events", "event_shots"];
    private static readonly TimeSpan WaitForAnother = TimeSpan.FromSeconds(60);

    internal static string PathOf(string database) => database + ".daily";

    /// <summary>Held while a copy is made, and while somebody is erased: no copy from before replaces one from after.</summary>
    /// <exception cref="IOException">Another process is at it for too long.</exception>
    internal static FileLock Hold(string database) =>
        FileLock.Take(PathOf(database) + ".lock", exclusive: true, WaitForAnother, $"The daily copy of {database} is being made by another process: try again.");

    /// <summary>Makes the copy as of one moment, and puts it in the place of the old one. The caller holds <see cref="Hold"/>.</summary>
    internal static void Make(string database)
    {
        string fresh = PathOf(database) + ".new";
        DatabaseFile.Delete(fresh);
        DatabaseFile.Create(fresh);
        try
        {
            using (SqliteConnection copy = DatabaseFile.Connect(fresh))
                Fill(copy, database);
            File.Move(fresh, PathOf(database), overwrite: true);
        }
        catch
        {
            DatabaseFile.Delete(fresh);
            throw;
        }
    }

    /// <summary>The tables of an open database whose content is copied.</summary>
    internal static IReadOnlyList<string> SmallTables(SqliteConnection connection)
    {
        var tables = new List<string>();
        using SqliteCommand command = Sql.Command(connection, "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
        {
            if (!LargeTables.Contains(row.GetString(0)))
                tables.Add(row.GetString(0));
        }

        return tables;
    }

    private static void Fill(SqliteConnection copy, string database)
    {
        Sql.Execute(copy, "PRAGMA synchronous=FULL; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA foreign_keys=OFF");
        Sql.Execute(copy, "ATTACH DATABASE $path AS live", ("$path", database));
        using (SqliteTransaction transaction = copy.BeginTransaction(deferred: true))
        {
            List<(string Name, string Type, string Sql)> parts = Parts(copy);
            foreach ((string name, _, string sql) in parts.Where(p => p.Type == "table"))
            {
                Sql.Execute(copy, sql);
                if (!LargeTables.Contains(name))
                    Sql.Execute(copy, $"INSERT INTO main.\"{name}\" SELECT * FROM live.\"{name}\"");
            }

            foreach ((_, _, string sql) in parts.Where(p => p.Type != "table"))
                Sql.Execute(copy, sql);
            object? version = Sql.Scalar(copy, "PRAGMA live.user_version");
            Sql.Execute(copy, string.Create(CultureInfo.InvariantCulture, $"PRAGMA main.user_version={version}"));
            transaction.Commit();
        }

        Sql.Execute(copy, "DETACH DATABASE live");
    }

    private static List<(string Name, string Type, string Sql)> Parts(SqliteConnection copy)
    {
        var parts = new List<(string, string, string)>();
        using SqliteCommand command = Sql.Command(copy, "SELECT name, type, sql FROM live.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
        using SqliteDataReader row = command.ExecuteReader();
        while (row.Read())
            parts.Add((row.GetString(0), row.GetString(1), row.GetString(2)));
        return parts;
    }
}
