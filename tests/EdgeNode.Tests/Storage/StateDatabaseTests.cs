using EdgeNode.Storage;
using Microsoft.Data.Sqlite;

namespace EdgeNode.Tests.Storage;

public sealed class StateDatabaseTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgenode-").FullName;

    [Fact]
    public void What_was_written_is_there_after_opening_anew()
    {
        using (StateDatabase first = StateDatabase.Open(_folder))
            first.Write(c => Run(c, "INSERT INTO revocations VALUES ('a', 1)"));
        using StateDatabase second = StateDatabase.Open(_folder);
        Assert.Equal(1L, second.Read(c => Scalar(c, "SELECT count(*) FROM revocations")));
    }

    [Fact]
    public void A_change_that_fails_half_way_leaves_nothing()
    {
        using StateDatabase database = StateDatabase.Open(_folder);
        Assert.Throws<InvalidOperationException>(() => database.Write<int>(c =>
        {
            Run(c, "INSERT INTO revocations VALUES ('a', 1)");
            throw new InvalidOperationException();
        }));
        Assert.Equal(0L, database.Read(c => Scalar(c, "SELECT count(*) FROM revocations")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static int Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
