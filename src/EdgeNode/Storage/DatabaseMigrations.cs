using System.Globalization;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Storage;

/// <summary>One change of the tables: it only adds, so that the version before still works with what it leaves.</summary>
internal readonly record struct Migration(int Number, string Sql);

/// <summary>The files <c>Migrations/NNNN-what.sql</c>, run once each, in order; the database remembers the last one in <c>user_version</c>.</summary>
internal static class DatabaseMigrations
{
    private const string Prefix = "migrations/";

    internal static IReadOnlyList<Migration> Embedded { get; } = ReadEmbedded();

    internal static int VersionOf(SqliteConnection connection) => Convert.ToInt32(Sql.Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);

    /// <summary>Runs what <paramref name="connection"/> lacks, each in a transaction of its own.</summary>
    internal static void Apply(SqliteConnection connection, IReadOnlyList<Migration> migrations)
    {
        int done = VersionOf(connection);
        foreach (Migration migration in migrations)
        {
            if (migration.Number <= done)
                continue;
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            Sql.Execute(connection, migration.Sql);
            Sql.Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={migration.Number}"));
            transaction.Commit();
        }
    }

    private static Migration[] ReadEmbedded()
    {
        var migrations = new List<Migration>();
        foreach (string name in typeof(DatabaseMigrations).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var text = new StreamReader(typeof(DatabaseMigrations).Assembly.GetManifestResourceStream(name)!);
            migrations.Add(new Migration(int.Parse(name.AsSpan(Prefix.Length, 4), CultureInfo.InvariantCulture), text.ReadToEnd()));
        }

        return [.. migrations];
    }
}
