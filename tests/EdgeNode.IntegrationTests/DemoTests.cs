using System.Text.Json.Nodes;

namespace EdgeNode.IntegrationTests;

/// <summary>What a newcomer sees first: the demo, in a real browser.</summary>
public class DemoTests
{
    [SkippableFact]
    public async Task The_demo_shows_moving_pictures_and_the_name_beside_them()
    {
        Skip.IfNot(File.Exists(Browser.Program), $"There is no {Browser.Program}: Ubuntu has Chromium only as a snap.");
        using var demo = new RunningProcess(Given.Binary, "demo", "--port", "0");
        await demo.LineAsync(l => l == "ready");
        string Value(string name) => demo.Lines.First(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
        string ui = Value("ui:"), view = Value("view:");
        var mqtt = new Uri(Value("mqtt:"));

        using var witness = new RunningProcess("mosquitto_sub", "-h", mqtt.Host, "-p", mqtt.Port.ToString(), "-v", "-t", "#");
        using var browser = new Browser();
        await browser.OpenAsync(ui);
        await browser.UntilAsync("document.querySelector('[data-camera=demo] video')?.currentTime > 2");
        Assert.False((bool?)await browser.EvaluateAsync("document.querySelector('#login').checkVisibility()"));
        await browser.UntilAsync("document.querySelector('[data-camera=visitor] video')?.currentTime > 2");
        await browser.UntilAsync("[...document.querySelectorAll('[data-camera=demo] .face.recognized')].some(f => f.textContent === 'Franck')");
        await browser.UntilAsync("document.querySelector('[data-camera=visitor] .face.unknown')");
        await browser.UntilAsync("document.querySelectorAll('#events li').length > 1");

        // The picture itself moves, not only the clock.
        const string Fingerprint = """
            (() => {
              const video = document.querySelector('[data-camera=demo] video');
              const canvas = new OffscreenCanvas(64, 48), context = canvas.getContext('2d');
              context.drawImage(video, 0, 0, 64, 48);
              return [...context.getImageData(0, 0, 64, 48).data].join();
            })()
            """;
        string first = (string)(await browser.EvaluateAsync(Fingerprint))!;
        await browser.UntilAsync($"{Fingerprint} !== '{first}'");
        string? screenshot = Environment.GetEnvironmentVariable("EDGENODE_SCREENSHOT");
        if (screenshot is not null)
            await File.WriteAllBytesAsync(screenshot, await browser.ScreenshotAsync());

        JsonNode face = Mosquitto.Payload(await witness.LineAsync(l => l.Contains("/events/face ", StringComparison.Ordinal) && l.Contains("\"camera\":\"demo\"", StringComparison.Ordinal)));
        Assert.Equal(("Franck", "recognized"), ((string?)face["identity"]!["name"], (string?)face["identity"]!["status"]));
        Assert.StartsWith("http://127.0.0.1:", view, StringComparison.Ordinal);
        await demo.TerminateAsync();
        Assert.Equal(0, demo.ExitCode);
    }
}
