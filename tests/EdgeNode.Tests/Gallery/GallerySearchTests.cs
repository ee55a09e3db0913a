using EdgeNode.Gallery;
using static EdgeNode.Tests.Gallery.Faces;

namespace EdgeNode.Tests.Gallery;

public class GallerySearchTests
{
    [Fact]
    public void The_nearest_is_told_with_its_lead_over_the_second()
    {
        Identity ada = Person("Ada", Face((0, 1))), bob = Person("Bob", Face((1, 1)));
        GalleryMatch match = Search(bob, ada).Search(Face((0, 0.7f), (1, 0.3f)));
        Assert.Same(ada, match.Identity);
        Assert.Equal(0.7f, match.Similarity, 1e-5f);
        Assert.Equal(0.4f, match.Margin, 1e-5f);
    }

    [Fact]
    public void Alone_in_the_gallery_the_lead_is_over_a_stranger()
    {
        GalleryMatch match = Search(Person("Ada", Face((0, 1)))).Search(Face((0, 0.7f)));
        Assert.Equal(0.7f, match.Margin, 1e-5f);
    }

    [Fact]
    public void Of_many_references_one_alone_does_not_decide()
    {
        // The third reference is a poor photo that resembles everybody.
        Identity ada = Person("Ada", Face((0, 1)), Face((1, 1)), Face((2, 1)));
        Assert.Equal(0.35f, Search(ada).Search(Face((2, 0.6f), (1, 0.1f))).Similarity, 1e-5f);
        Identity bob = Person("Bob", Face((0, 1)), Face((2, 1)));
        Assert.Equal(0.6f, Search(bob).Search(Face((2, 0.6f), (0, 0.1f))).Similarity, 1e-5f);
    }

    [Fact]
    public void References_of_another_model_pack_are_not_compared()
    {
        Identity ada = Identity.Create("Ada", [new FaceReference("other-pack", Face((0, 1)))], TimeProvider.System);
        Assert.Null(Search(ada).Search(Face((0, 1))).Identity);
    }

    [Fact]
    public void Changes_of_the_gallery_are_seen_at_once()
    {
        IdentityStore store = IdentityStore.InMemory([]);
        var search = new GallerySearch(store, Pack);
        Assert.Null(search.Search(Face((0, 1))).Identity);
        Identity ada = Person("Ada", Face((0, 1)));
        store.Add(ada);
        Assert.Same(ada, search.Search(Face((0, 1))).Identity);
        store.Remove(ada.Id);
        Assert.Null(search.Search(Face((0, 1))).Identity);
    }

    [Fact]
    public void A_face_nearer_to_one_that_was_rejected_than_to_any_reference_is_not_that_person()
    {
        Identity ada = Person("Ada", Face((0, 1))).With(negatives: [new FaceReference(Pack, Face((0, 0.6f), (1, 0.8f)))]), bob = Person("Bob", Face((1, 1)));
        GallerySearch search = Search(ada, bob);
        // Of 0.6 to Ada and 0.84 to the face that she is not; nobody is a rival who cannot be it.
        GalleryMatch rejected = search.Search(Face((0, 0.6f), (1, 0.6f)));
        Assert.Equal((bob, 0.6f), (rejected.Identity, MathF.Round(rejected.Margin, 4)));
        Assert.Equal(float.NegativeInfinity, search.SimilarityTo(ada.Id, Face((0, 0.6f), (1, 0.6f))));
        // 0.9 against 0.54.
        Assert.Same(ada, search.Search(Face((0, 0.9f))).Identity);
        Assert.Null(Search(ada).Search(Face((0, 0.6f), (1, 0.6f))).Identity);
    }

    [Fact]
    public void What_was_rejected_for_one_person_counts_for_no_other()
    {
        FaceReference[] negatives = [new FaceReference(Pack, Face((0, 1)))];
        Assert.Equal("Bob", Search(Person("Ada", Face((1, 1))).With(negatives: negatives), Person("Bob", Face((0, 0.7f)))).Search(Face((0, 0.9f))).Identity!.Name);
    }

    [Theory]
    [InlineData("other-pack", 1f)]
    [InlineData(Pack, 0.8f)]
    public void A_negative_of_another_pack_or_as_near_as_the_reference_changes_nothing(string pack, float cosine)
    {
        Identity ada = Person("Ada", Face((0, 0.8f))).With(negatives: [new FaceReference(pack, Face((0, cosine)))]);
        Assert.Same(ada, Search(ada).Search(Face((0, 0.9f))).Identity);
    }

    [Fact]
    public void Searching_does_not_allocate()
    {
        GallerySearch search = Search([.. Enumerable.Range(0, 100).Select(i => Person($"P{i}", Face((i, 1))).With(negatives: [new FaceReference(Pack, Face((i, 0.1f)))]))]);
        float[] probe = Face((5, 0.5f));
        search.Search(probe);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            search.Search(probe);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static GallerySearch Search(params Identity[] people) => new(IdentityStore.InMemory(people), Pack);
}
