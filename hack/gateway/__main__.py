"""Build the gateway, or find it built: python -m hack.gateway. The last line printed is the program."""

import sys

from hack.gateway.binary import GatewayError, binary, build


def main() -> int:
    """1 with a sentence if it cannot be built."""
    wanted = binary()
    try:
        build(wanted)
    except (GatewayError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
