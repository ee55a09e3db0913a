using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Http;
using EdgeNode.Tests.Faces;
using EdgeNode.Tests.Telemetry;

namespace EdgeNode.Tests.Http;

[Collection(ModelsCollection.Name)]
public sealed class IdentityRoutesTests(ModelsFixture models)
{
    [SkippableFact]
    public async Task A_person_is_enrolled_from_photos_gets_more_of_them_and_is_erased()
    {
        byte[] photo = File.ReadAllBytes(FaceMedia.RequireShared("obama.jpg"));
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        string json = JsonSerializer.Serialize(new { name = "Ada", photos = new[] { Convert.ToBase64String(photo), Convert.ToBase64String("no photo"u8) } });
        JsonElement enrolled = await (await client.PostAsync("api/identities", Answers.Json(json))).JsonAsync();
        Assert.Contains("Photo 2", Assert.Single(enrolled.GetProperty("refused").EnumerateArray()).GetString());
        string id = enrolled.GetProperty("identity").GetProperty("id").GetString()!;

        using var form = new MultipartFormDataContent();
        var file = new ByteArrayContent(photo);
        file.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        form.Add(file, "photos", "ada.jpg");
        JsonElement more = await (await client.PostAsync($"api/identities/{id}/photos", form)).JsonAsync();
        Assert.Equal(2, more.GetProperty("identity").GetProperty("references").GetInt32());
        JsonElement list = await (await client.GetAsync("api/identities")).JsonAsync();
        Assert.Equal("Ada", list.GetProperty("identities")[0].GetProperty("name").GetString());

        await (await client.DeleteAsync($"api/identities/{id}")).JsonAsync();
        await (await client.GetAsync($"api/identities/{id}")).ProblemAsync(HttpStatusCode.NotFound);
        using HttpClient admin = node.Client(Role.Admin);
        JsonElement audit = await (await admin.GetAsync("api/audit")).JsonAsync();
        Assert.Equal(["identity_erase", "identity_enroll", "identity_enroll"], audit.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("action").GetString()));
        Assert.DoesNotContain("Ada", audit.GetRawText());
    }

    [SkippableFact]
    public async Task Photos_that_show_nobody_are_refused_in_words()
    {
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        string json = JsonSerializer.Serialize(new { name = "Ada", photos = new[] { Convert.ToBase64String("no photo"u8) } });
        Assert.Equal("Photo 1 is no JPEG or PNG photo.", await (await client.PostAsync("api/identities", Answers.Json(json))).ProblemAsync(HttpStatusCode.UnprocessableEntity));
        Assert.Contains("1 to 12", await (await client.PostAsync("api/identities", Answers.Json("{\"name\": \"Ada\", \"photos\": []}"))).ProblemAsync(HttpStatusCode.BadRequest));
        using var form = new MultipartFormDataContent { { new StringContent("Ada"), "name" }, { new StringContent("x"), "portrait" } };
        Assert.Contains("'photos'", await (await client.PostAsync("api/identities", form)).ProblemAsync(HttpStatusCode.BadRequest));
        Assert.Empty(node.Subjects.Identities.List);
    }

    [Fact]
    public async Task Photos_of_few_are_received_at_once()
    {
        // The models are asked for before anything is received: here they keep everybody waiting.
        using var opened = new ManualResetEventSlim();
        int waiting = 0;
        await using NodeServer node = await NodeServer.StartAsync(change: subjects => subjects with
        {
            Models = () =>
            {
                Interlocked.Increment(ref waiting);
                opened.Wait();
                return null;
            },
        });
        using HttpClient client = node.Client(Role.Operator);
        Task<HttpResponseMessage> Send() => client.PostAsync("api/identities", Answers.Json("{\"name\": \"Ada\", \"photos\": []}"));
        Task<HttpResponseMessage>[] held = [.. Enumerable.Range(0, IdentityRoutes.ReceivedAtOnce).Select(_ => Send())];
        await Eventually.TrueAsync(() => Volatile.Read(ref waiting) == held.Length, "all are being received");
        Assert.Contains("try again", await (await Send()).ProblemAsync(HttpStatusCode.ServiceUnavailable));
        opened.Set();
        foreach (HttpResponseMessage answer in await Task.WhenAll(held))
            Assert.Contains("no face models", await answer.ProblemAsync(HttpStatusCode.ServiceUnavailable));
        Assert.Contains("no face models", await (await Send()).ProblemAsync(HttpStatusCode.ServiceUnavailable));
    }

    [Fact]
    public async Task Without_models_nobody_is_enrolled_and_the_answer_says_why()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient client = node.Client(Role.Operator);
        Assert.Contains("no face models", await (await client.PostAsync("api/identities", Answers.Json("{\"name\": \"Ada\", \"photos\": []}"))).ProblemAsync(HttpStatusCode.ServiceUnavailable));
    }
}
