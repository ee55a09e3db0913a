using EdgeNode.Faces;

namespace EdgeNode.Tests.Faces;

/// <summary>
/// What OpenCV 4.6 (its DNN module, resize and warpAffine) made of the same photos with the same models: the best face's box, clipped to the
/// photo, and its embedding, as signed bytes in proportion.
/// </summary>
internal sealed record OpenCvReference(string Photo, BoundingBox Box, string Bytes)
{
    public static readonly OpenCvReference[] All =
    [
        new("franck_02045.jpg", new BoundingBox(0.4061f, 0.2071f, 0.3230f, 0.6677f),
            "/wEG0+/TAgXmJz35DAbk/oEHFB/Jugv18NxI3i/19RIO8zL85OANCv8aD/v4BB0QKx/RCzn+AB754xLkQgTBJ9UBDjf4Ct4gKfAgJNbj99w1Cx7mMO/xDhEAJidT3O/KxkMjLyoCBgMNyQMktebMB8/3Hfgx2h0Z+Mk53Q/9/vELHyrg9NQRGN7OtAUtCFEBJj3z9+P9DfPKAB41DdUOObsMBCAND6AlIvvC/wAAOBwv+0IeAPUlIwT6HvEM49b5zg0IExkiIhkQEP4bIBlS9wkb1P0BMyQKBRH1A+f6u9P9R/L/2NEhJBBH6tr1IB/0H/4k4DMUBtMvP/se3Ccr3c3DACzYDdcH39/uJP8EAQgw5hTj+ecFzz7Y39gQGAgV2f4H4QDwKd4wz/UR1d7tJSrY9NAx9eITCSPOR/sfQiH0B/7m5vPFH0bV2xj317f07fvZ5SQUDiQm9g32NuYd7xIAu/Hu+/Mf8PP3BRZDuQYT++8sEAXvx9vYBf3KLDDb+7ei6gMDSu0mCgHe8h4eHArk9gUi3v1EDwzNHhP4+/AJEwEJAxr98OEVAcTjBxMnGRTBKPccAxwYDwcUrUX5vgvPMFcOMBr0Mt8D5RjhCS7+5fbo9jLgBCXjSyPAGQIfz+1WEQPxBSQF/vjnHQIW3/Q1APjsFBYfCgX74/8j6s4="),
        new("cage.jpg", new BoundingBox(0.1870f, 0.0784f, 0.5957f, 0.8151f),
            "yxL08vYazPMF4CEfD/30FOfF+BgwHibpM9IOIQ3vtSEdHRMF+dbuA//LIgH6BiTuHDLQ8AXg/FdA3iP6+/weuxb7Ju0ADR0qveLzKA8wuLkQM+ez/u4VDd8D0wIQ09f/w8wSAvIB9RiuzjovAt3a/Zr9FiYv1eICG8Mttbgr6uIFFhI1DRUv2PwjvCR/yiMzA0i8OrUFCiYGsuniIuz+qw0v8iPa7f2yAA0wIxAD6uQjE+MGQTUWCCr6OgP9R0DiIsDS9A/1GkGr9Bn9+DhKIBr1Gzn48P3qBQsUP6Mazgc4NkExttoWcx8IMh0a92P/BAgT3h7w9uYfE8oP3xIj3/Stzr/vFcG0Fd4DLiXZYys04g4r6CQAUTs9+xwc7+jL9RD27sNKBQIl+v1VL/o/8Jkx/ijxBhX5GbEDEN/uThATEB4aGChE5xstB9n87dYdJQU5U/Hft9Tf8kBWFyJgAgonEArsAcAm3B8Z5dsYz/UB9hL+ExNE2/TkF/yTpjfYCxu/VeC9Hfny7SnC6O3XyjMMCp9Jvd3wLSu4GtjuEb3dMxDr+Qvg8P30BvbWGeFYyy3KHi3HB+n+69MN9/ca8eTxQzMFN+ACIFDqJAr99OS40R+/FAiqFO8K8MwhzgInD98QyvDS6vwHHCcaoAr76xj5HBAxE7E/Dz9BJfsVQTs="),
        new("audrey.jpg", new BoundingBox(0.2923f, 0.2292f, 0.4747f, 0.4177f),
            "3UNJ95gKA9UeFQgljAscJsA9y/S+IPUq4QeY4+gTIBMF9wUKoQyfNdr4Lbz4OfgC9hr1DkgLzADnOKrZJikZCCtAH+4qzp8kxtwNJ+C9HA4gwSrJ6RMfK/E+OyzX2SGu3B0zNvfi+0QXAP8AFbQCQBkpMA3u/ewc4BgasQ5A+g8kvUMwGgQSOrNB/AgGLQAOvx0gE/YNOQoY/7U7DvAlJAmnKPob7VES7uooB8Tl3OdqHdHxEgMoMHEI5c4u0eO7zDILDv84C+kcBecP0fO5HgvR+wHnFDQ3yfjh4DcM09LHBfnzBwAATR/7Jg0k8R8+C+cuFhZk8wryGQqZ2ysKveMR//crsmQK9jzsnN9TzvY4HdEPYCrirOyV8g7O+BkA0BXxB/k60OwEQCcW7QJCLhkb0BEm6+78GBAlCwBLuMo3M/zXGNnFxCYKnc7uBwVDSv/z3SFdQk/gDUP1QQET0yAbDvsmCgbWJOY09AjsTR8UMupj/uvdAfYA2sfYur4CTi8uFTo/5b4N+kkBFA7TEeDhHPMTCTw5QwoPNAYKBEsR4DEVbQcoLPkE7e729PYVHtH97fXPodDCvgYiFQIf7R3TH76vDu8u9cwF+AHs5eoG9RqBF9w8rBcOMhkEtPmoDuxQBhW+Kxob6PsfhenrWVJA5ij1B/olzwor5SH+Uhc="),
        new("kim1_crop.jpg", new BoundingBox(0.0475f, 0.0000f, 0.8696f, 1.0000f),
            "DAj/FfH10uT4AdBDwNXrNOPRwP4+XsEM0coIOOH92/LtN1UkFyXoBijo0/X6FeER8Cgd4xDm7ywk4RxDK/fe+AcOROH6DvTMCqkcEf40+y0ZERTCIfZY++Hpx/bp0J4KxQvlIejREwEQHD/MERj/EITeD9XgLv0iJfMe7h4LudMxEccC+Nwz3vrytRbTxPxD3ubs5+xTHBwi3bgAHf7d4OcOQu3s8gHBGAcs5Ez9A0re0yoXIz4AFRYgBODlsxbmMioeHAsEDQToHNxQJPAc4+CB9cu/J7s9DekPC/K3/ecf2BoSHhwWCPzrJhHo7R5SHO71GygnsAj2BA8ItCWm2cbtHwi5Ccriu9/T8ybtQFo38Qf8TysWRBIHDwn67O/7Ayzj9PA4u9zr+v8p6w0m/u4tCeYxAhDxANr5/gHYLw9M7ML68Db9xz4UGcQcAWY1JOLqSs0K1ibp/Ugj8PfzCADX3S/e6wjH2Rjq6SP/V8o3OiQbJtUb2eXSAOLXowY/8g7JG/pj6gn61/0gAeD1deoaFfsevs3lHxTJ8fTzDqP7HybSKDMD4Dfx/dkuC9Qk3+gtyxf31wDq+hwMHP4GRCAAHAT+8sat5woEDO7Y598T/RPLAvkh8unbJcAwugEQ1ukBKQnxDMPtANJoEwL1083MAPIZHiMw7CUq2//xCOQ="),
        new("obama4_crop.jpg", new BoundingBox(0.0000f, 0.0000f, 1.0000f, 1.0000f),
            "Tf3v/Rj8sysyAkw1Crj09+cSNAn+8+m+5hceJGDcA/UaCkobERPy2MzUC1fkIczpFtUA4gzn5gIooQIaHgbpDw7aE94mByIr6NIO/ycSZ9n/W/W5ICETCyXJl/vxuisM5UcfC/nh7+/m6A/+CCLo7c8X7AdsLeseCRDFDty+6hjS+RIADbgiFg5Mx90o+RQPMzTpLNoE3fvMC+r0FxvFNawiAv0HyQD02svS4hPTBEYB+RgdAS3gMzbKSP3p8/7b98jR+/oFJz879Avy/TzsJvEtPgQe0w/YGwEWG+nS6fj/Jg4Gx1XgO0LpyyUjv2neIAsTDQ8ZNN6zEvIW+dX1Mu3DEuYD9OQI+NkDPxLfDSg7FRzHBh7TQucO8O0d8CbqDB/m0QMLCd481woIMhspLOMtOxgbF9EWx8TS6I1dFfG5NfYf5RgkGAkP5PTiNPsMHAJOIA78AdwDEfjVfy8SGPsWIAMBK/3Y6CMcwf037gA1CSHBCDED8zQmDersvTjINOIi5hTwOB/k/yL3BPXMC/Xx6M7l7CgfAO7Z+fEHEN//7NYWDhgHKRb9JA7T8CMy4zL73/6+Idoxzw3bxvvQ1OovDSfVF+cfDzUgC+ljK8vr8OXZFAPpMb4GIe4W+zL5ABEDIjUVMt/8C0i14BLvCRUQ3NH9PCreEzQdLeL99Bg="),
    ];

    public float Cosine(float[] embedding)
    {
        byte[] bytes = Convert.FromBase64String(Bytes);
        double dot = 0, square = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            dot += embedding[i] * (sbyte)bytes[i];
            square += (sbyte)bytes[i] * (sbyte)bytes[i];
        }
        return (float)(dot / Math.Sqrt(square));
    }
}
