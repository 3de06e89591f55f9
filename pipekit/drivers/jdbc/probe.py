# Loading a registered driver without connecting to anything. Loaded in the runner child only.
"""`probe`: what a driver says of itself and of an address."""

from typing import Any

from pipekit.drivers.jdbc.jvm import JavaError, find_class, load_driver, start
from pipekit.errors import ConnectFailed
from pipekit.runner_contract import Endpoint


def probe(endpoint: Endpoint) -> dict[str, Any]:
    """Version, whether the driver takes the endpoint's URL, and what it reads from it. Raises ConnectFailed."""
    start(endpoint)
    driver = load_driver(endpoint)
    try:
        accepts = bool(driver.acceptsURL(endpoint.jdbc_url))
        read = driver.getPropertyInfo(endpoint.jdbc_url, find_class("java.util.Properties")()) if accepts else ()
        properties = {str(item.name): None if item.value is None else str(item.value) for item in read or ()}
        version = f"{driver.getMajorVersion()}.{driver.getMinorVersion()}"
        java = str(find_class("java.lang.System").getProperty("java.version"))
    except JavaError as error:
        raise ConnectFailed(f"The driver {endpoint.driver_class} cannot read the URL: {error}.") from None
    return {"version": version, "java": java, "accepts_url": accepts, "properties": properties}
