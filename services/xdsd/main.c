/* xdsd - gives Envoys their configuration. See README.md. */
#include "services/xdsd/xdsd.h"

int main(int argc, char **argv)
{
    static const struct cu_daemon xdsd = {
        .name = "xdsd",
        .about = "gives each Envoy its configuration",
        .check = xds_check,
        .start = xds_start,
        .reload = xds_reload,
        .set_token = xds_set_token,
        .drain = xds_drain,
        .stop = xds_stop,
        .status = xds_status,
    };
    return cu_daemon_main(&xdsd, argc, argv);
}
