namespace EdgeNode.Telemetry;

/// <summary>
/// What the broker should hold of us, newest only: sent when it changed, and all of it after each connect. An empty payload takes a
/// topic off the broker, and is forgotten once that is done. Thread-safe.
/// </summary>
internal sealed class RetainedMessages
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RetainedMessage> _messages = [];
    private readonly Queue<string> _unsent = [];

    internal void Set(string topic, byte[] payload)
    {
        lock (_gate)
        {
            if (!_messages.TryGetValue(topic, out RetainedMessage? old) || old.IsSent)
                _unsent.Enqueue(topic);
            _messages[topic] = new RetainedMessage(topic, payload);
        }
    }

    internal void MarkAllUnsent()
    {
        lock (_gate)
        {
            _unsent.Clear();
            foreach (RetainedMessage message in _messages.Values)
            {
                message.IsSent = false;
                _unsent.Enqueue(message.Topic);
            }
        }
    }

    /// <summary>The next one to send, which stays unsent until <see cref="MarkSent"/>; null when there is none.</summary>
    internal RetainedMessage? NextUnsent()
    {
        lock (_gate)
            return _unsent.TryPeek(out string? topic) ? _messages[topic] : null;
    }

    /// <summary>It was acknowledged. When the topic has got another payload meanwhile, that one is still to be sent.</summary>
    internal void MarkSent(RetainedMessage message)
    {
        lock (_gate)
        {
            if (_messages[message.Topic] != message)
                return;
            _unsent.Dequeue();
            message.IsSent = true;
            if (message.Payload.Length == 0)
                _messages.Remove(message.Topic);
        }
    }
}

/// <summary>One retained message; compared by reference.</summary>
internal sealed class RetainedMessage(string topic, byte[] payload)
{
    internal string Topic { get; } = topic;

    internal byte[] Payload { get; } = payload;

    internal bool IsSent { get; set; }
}
