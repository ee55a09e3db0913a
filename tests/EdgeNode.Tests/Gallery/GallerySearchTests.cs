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
    public void Searching_does_not_allocate()
    {
        GallerySearch search = Search([.. Enumerable.Range(0, 100).Select(i => Person($"P{i}", Face((i, 1))))]);
        float[] probe = Face((5, 0.5f));
        search.Search(probe);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            search.Search(probe);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static GallerySearch Search(params Identity[] people) => new(IdentityStore.InMemory(people), Pack);
}
