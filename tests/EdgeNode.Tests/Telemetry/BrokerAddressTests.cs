using EdgeNode.Telemetry;

namespace EdgeNode.Tests.Telemetry;

public class BrokerAddressTests
{
    [Theory]
    [InlineData("mqtt://broker", "broker", 1883, false)]
    [InlineData("mqtts://broker", "broker", 8883, true)]
    [InlineData("mqtts://broker.example:1234/", "broker.example", 1234, true)]
    [InlineData("mqtt://[::1]:1885", "::1", 1885, false)]
    public void A_url_names_host_port_and_whether_tls_guards_it(string url, string host, int port, bool isTls) =>
        Assert.Equal(new BrokerAddress(host, port, isTls), BrokerAddress.Parse(url));

    [Theory]
    [InlineData("broker:1883")]
    [InlineData("http://broker")]
    [InlineData("mqtt://")]
    [InlineData("mqtt://broker:99999")]
    [InlineData("mqtt://broker/topic")]
    [InlineData("mqtt://user:s3cret@broker")]
    public void What_is_none_is_refused_without_repeating_it(string url)
    {
        string message = Assert.Throws<FormatException>(() => BrokerAddress.Parse(url)).Message;
        Assert.DoesNotContain("s3cret", message);
        Assert.Contains("mqtt", message);
    }
}
