namespace EdgeNode.Access;

/// <summary>What a token's holder may do; each role includes those below it.</summary>
public enum Role
{
    /// <summary>May look at the cameras named in the token.</summary>
    Viewer,

    /// <summary>May also work with events and people.</summary>
    Operator,

    /// <summary>May also change the node.</summary>
    Admin,
}
