using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using EdgeNode.Access;
using EdgeNode.Cameras;
using EdgeNode.Configuration;
using EdgeNode.Decoding;
using EdgeNode.Events;
using EdgeNode.Faces;
using EdgeNode.Gallery;
using EdgeNode.Ingest;
using EdgeNode.Tests.Faces;
using EdgeNode.Tests.Streaming;
using EdgeNode.Tests.Telemetry;
using static EdgeNode.Tests.Events.SampleEvents;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Http;

/// <summary>Best shots of events, and what people say of them.</summary>
[Collection(ModelsCollection.Name)]
public sealed class ShotRoutesTests(ModelsFixture models)
{
    [Fact]
    public async Task A_shot_is_shown_to_who_may_see_the_event_and_to_nobody_else()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        Guid id = Keep(node, Shot(Face((0, 1))));
        string path = $"api/events/{id}/snapshot.jpg";
        using HttpClient operatorOfAll = node.Client(Role.Operator), operatorHere = node.Client(Role.Operator, NodeServer.FileCamera), elsewhere = node.Client(Role.Operator, "other"), viewer = node.Client(Role.Viewer);
        foreach (HttpClient client in (HttpClient[])[operatorOfAll, operatorHere])
        {
            using HttpResponseMessage answer = await client.GetAsync(path);
            Assert.Equal("image/jpeg", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
            Assert.Equal([1, 2, 3], await answer.Content.ReadAsByteArrayAsync());
        }

        // Of another camera's event not even that it is.
        Assert.Equal(
            await (await elsewhere.GetAsync($"api/events/{Guid.NewGuid()}/snapshot.jpg")).ProblemAsync(HttpStatusCode.NotFound),
            await (await elsewhere.GetAsync(path)).ProblemAsync(HttpStatusCode.NotFound));
        await (await viewer.GetAsync(path)).ProblemAsync(HttpStatusCode.Forbidden);
        viewer.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", node.Tokens.Issue("wall", Role.Viewer, null, metadata: true, TimeSpan.FromHours(1)).Token);
        Assert.Equal([1, 2, 3], await viewer.GetByteArrayAsync(path));
        await (await viewer.GetAsync("api/events/none/snapshot.jpg")).ProblemAsync(HttpStatusCode.NotFound);

        using HttpClient admin = node.Client(Role.Admin);
        JsonElement audit = await (await admin.GetAsync("api/audit")).JsonAsync();
        Assert.Contains(("view", $"camera:{NodeServer.FileCamera}"), audit.GetProperty("entries").EnumerateArray().Select(e => (e.GetProperty("action").GetString(), e.GetProperty("object").GetString())));
    }

    [SkippableFact]
    public async Task What_is_confirmed_becomes_a_reference_and_is_that_persons()
    {
        string pack = models.Require().Pack.Id;
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        Identity ada = Enrol(node, "Ada", new FaceReference(pack, Face((0, 1))));
        Guid id = Keep(node, Shot(Face((1, 1)), pack));
        JsonElement confirmed = await (await PostAsync(client, ada, "confirm", id)).JsonAsync();
        Assert.Equal(2, confirmed.GetProperty("identity").GetProperty("references").GetInt32());
        // Twice is once.
        confirmed = await (await PostAsync(client, ada, "confirm", id)).JsonAsync();
        Assert.Equal(2, confirmed.GetProperty("identity").GetProperty("references").GetInt32());
        Assert.Equal("Ada", new GallerySearch(node.Subjects.Identities, pack).Search(Face((1, 0.9f))).Identity?.Name);
        FaceReference reference = node.Subjects.Identities.Find(ada.Id)!.References[1];
        Assert.Equal([1, 2, 3], await client.GetByteArrayAsync($"api/identities/{ada.Id}/photos/{reference.Id}"));

        await (await client.DeleteAsync($"api/identities/{ada.Id}")).JsonAsync();
        await (await client.GetAsync($"api/events/{id}/snapshot.jpg")).ProblemAsync(HttpStatusCode.NotFound);
        using HttpClient admin = node.Client(Role.Admin);
        JsonElement audit = await (await admin.GetAsync("api/audit")).JsonAsync();
        Assert.Equal(["identity_erase", "identity_correct", "identity_correct"], audit.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("action").GetString()));
    }

    [SkippableFact]
    public async Task What_is_rejected_is_remembered_and_no_longer_that_persons()
    {
        string pack = models.Require().Pack.Id;
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        Identity ada = Enrol(node, "Ada", new FaceReference(pack, Face((0, 1))));
        Guid id = Keep(node, Shot(Face((0, 0.5f)), pack) with { IdentityId = ada.Id });
        JsonElement rejected = await (await PostAsync(client, ada, "reject", id)).JsonAsync();
        Assert.Equal((1, 1), (rejected.GetProperty("identity").GetProperty("references").GetInt32(), rejected.GetProperty("identity").GetProperty("rejected").GetInt32()));
        Assert.Null(new GallerySearch(node.Subjects.Identities, pack).Search(Face((0, 0.55f))).Identity);
        Assert.Null(node.Subjects.Shots.Find(id)!.IdentityId);

        // It was a slip.
        await (await PostAsync(client, ada, "confirm", id)).JsonAsync();
        Assert.Equal("Ada", new GallerySearch(node.Subjects.Identities, pack).Search(Face((0, 0.55f))).Identity?.Name);
        Assert.Empty(node.Subjects.Identities.Find(ada.Id)!.Negatives);
        JsonElement again = await (await PostAsync(client, ada, "reject", id)).JsonAsync();
        Assert.Equal(1, again.GetProperty("identity").GetProperty("references").GetInt32());
    }

    [SkippableFact]
    public async Task What_cannot_serve_is_refused_with_a_sentence_and_changes_nothing()
    {
        string pack = models.Require().Pack.Id;
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator), elsewhere = node.Client(Role.Operator, "other"), viewer = node.Client(Role.Viewer);
        Identity ada = Enrol(node, "Ada", new FaceReference(pack, Face((0, 1))));
        Guid poor = Keep(node, Shot(Face((1, 1)), pack) with { Quality = 0.5f }), foreign = Keep(node, Shot(Face((1, 1)), "other-pack")), only = Keep(node, Shot(Face((0, 1)), pack)), good = Keep(node, Shot(Face((1, 1)), pack));
        Assert.Contains("too small, blurred or turned", await (await PostAsync(client, ada, "confirm", poor)).ProblemAsync(HttpStatusCode.UnprocessableEntity));
        Assert.Contains("models were changed", await (await PostAsync(client, ada, "confirm", foreign)).ProblemAsync(HttpStatusCode.UnprocessableEntity));
        Assert.Contains("models were changed", await (await PostAsync(client, ada, "reject", foreign)).ProblemAsync(HttpStatusCode.UnprocessableEntity));
        Assert.Contains("only reference", await (await PostAsync(client, ada, "reject", only)).ProblemAsync(HttpStatusCode.Conflict));
        Assert.Contains("No picture of that event", await (await PostAsync(client, ada, "confirm", Guid.NewGuid())).ProblemAsync(HttpStatusCode.NotFound));
        Assert.Contains("No picture of that event", await (await PostAsync(elsewhere, ada, "confirm", good)).ProblemAsync(HttpStatusCode.NotFound));
        Assert.Contains("nobody with that id", await (await PostAsync(client, Person("Eve", Face((0, 1))), "confirm", good)).ProblemAsync(HttpStatusCode.NotFound));
        Assert.Contains("'event_id' is missing", await (await client.PostAsync($"api/identities/{ada.Id}/confirm", Answers.Json("{}"))).ProblemAsync(HttpStatusCode.BadRequest));
        await (await PostAsync(viewer, ada, "confirm", good)).ProblemAsync(HttpStatusCode.Forbidden);
        Assert.Same(ada, node.Subjects.Identities.Find(ada.Id));
    }

    [SkippableFact]
    public async Task Photos_of_enrolment_are_listed_shown_and_taken_away_but_for_the_last()
    {
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        string[] photos = [.. new[] { "obama.jpg", "obama2.jpg" }.Select(f => Convert.ToBase64String(File.ReadAllBytes(FaceMedia.RequireShared(f))))];
        JsonElement enrolled = await (await client.PostAsync("api/identities", Answers.Json(JsonSerializer.Serialize(new { name = "Ada", photos })))).JsonAsync();
        string path = $"api/identities/{enrolled.GetProperty("identity").GetProperty("id").GetString()}/photos";
        JsonElement[] list = [.. (await (await client.GetAsync(path)).JsonAsync()).GetProperty("photos").EnumerateArray()];
        Assert.Equal([true, true], list.Select(p => p.GetProperty("has_picture").GetBoolean()));
        string first = list[0].GetProperty("id").GetString()!, second = list[1].GetProperty("id").GetString()!;
        using (HttpResponseMessage photo = await client.GetAsync($"{path}/{first}"))
        {
            Assert.Equal("image/jpeg", photo.Content.Headers.ContentType?.MediaType);
            byte[] jpeg = await photo.Content.ReadAsByteArrayAsync();
            Assert.InRange(jpeg.Length, 1000, FaceCrop.BytesAtMost);
            // What is kept would serve for another pack.
            PhotoEnrolment.FromPhoto(models.Require(), jpeg, "kept");
        }

        JsonElement left = await (await client.DeleteAsync($"{path}/{first}")).JsonAsync();
        Assert.Equal(1, left.GetProperty("identity").GetProperty("references").GetInt32());
        await (await client.GetAsync($"{path}/{first}")).ProblemAsync(HttpStatusCode.NotFound);
        Assert.Contains("erase the person instead", await (await client.DeleteAsync($"{path}/{second}")).ProblemAsync(HttpStatusCode.Conflict));
        Assert.NotEmpty(await client.GetByteArrayAsync($"{path}/{second}"));
    }

    [Fact]
    public async Task A_template_without_a_photo_is_listed_and_said_to_be_one()
    {
        await using NodeServer node = await NodeServer.StartAsync();
        using HttpClient client = node.Client(Role.Operator);
        Identity ada = Enrol(node, "Ada", new FaceReference(Pack, Face((0, 1))));
        JsonElement photo = (await (await client.GetAsync($"api/identities/{ada.Id}/photos")).JsonAsync()).GetProperty("photos")[0];
        Assert.False(photo.GetProperty("has_picture").GetBoolean());
        Assert.Contains("only the template", await (await client.GetAsync($"api/identities/{ada.Id}/photos/{photo.GetProperty("id").GetString()}")).ProblemAsync(HttpStatusCode.NotFound));
    }

    [SkippableFact]
    public async Task A_man_before_a_camera_has_a_picture_and_is_named_once_he_was_confirmed()
    {
        await using NodeServer node = await NodeServer.StartAsync(models: models.Require());
        using HttpClient client = node.Client(Role.Operator);
        var faces = new FacesSection { UpdateEvery = TimeSpan.FromSeconds(1) };
        var recognition = new FaceRecognition(models.Require(), node.Subjects.Identities, faces);
        var camera = new CameraConfiguration { Id = NodeServer.FileCamera, Name = "Lobby", Url = new Secret("file:x") };
        using var feed = new TestFeed();
        using var analytics = new CameraAnalytics(camera, faces, feed, recognition, new EventOrigin("hq", "edge-01", NodeServer.FileCamera), TimeProvider.System, node.Events.Append, node.Log);
        analytics.Start();
        using var film = new FileSource(FaceMedia.Require("franck.mp4"));
        film.Open();
        await Eventually.TrueAsync(() => Events().Any(e => e.Snapshot), "an event has a picture", between: () => feed.Push(film.Read()!));
        FaceEvent seen = Events().First(e => e.Snapshot);
        byte[] jpeg = await client.GetByteArrayAsync($"api/events/{seen.EventId}/snapshot.jpg");
        Assert.InRange(StillImage.Decode(jpeg, "shot").Width, 100, 480);

        Identity franck = Enrol(node, "Franck", PhotoEnrolment.FromPhoto(models.Require(), File.ReadAllBytes(FaceMedia.RequireShared("obama.jpg")), "another man"));
        await (await PostAsync(client, franck, "confirm", seen.EventId)).JsonAsync();
        await Eventually.TrueAsync(() => Events().Any(e => e.Identity.Name == "Franck"), "he is named", between: () => feed.Push(film.Read()!));
        await Eventually.TrueAsync(() => node.Subjects.Shots.Find(seen.EventId)?.IdentityId == franck.Id, "his picture is his");

        IEnumerable<FaceEvent> Events() => node.Events.ReadAfter(0, _ => true, 500).Events.Select(e => e.Event);
    }

    private static EventShot Shot(float[] template, string pack = Pack) => new(Guid.CreateVersion7(), NodeServer.FileCamera, null, At(5), 0.7f, pack, template, [1, 2, 3]);

    private static Guid Keep(NodeServer node, EventShot shot)
    {
        node.Events.Append(Event(1, camera: shot.Camera, id: shot.EventId), shot);
        Assert.True(node.Events.Flush(TimeSpan.FromSeconds(30)));
        return shot.EventId;
    }

    private static Identity Enrol(NodeServer node, string name, FaceReference reference)
    {
        Identity identity = Identity.Create(name, [reference], TimeProvider.System);
        node.Subjects.Identities.Add(identity);
        return identity;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, Identity identity, string what, Guid eventId) =>
        client.PostAsync($"api/identities/{identity.Id}/{what}", Answers.Json($"{{\"event_id\": \"{eventId}\"}}"));
}
