/* dnsd - answers DNS from a view of the catalog. See README.md. */
#include "services/dnsd/dnsd.h"

int main(int argc, char **argv)
{
    static const struct cu_daemon dnsd = {
        .name = "dnsd",
        .about = "answers DNS from a view of the catalog",
        .check = dns_check,
        .start = dns_start,
        .reload = dns_reload,
        .set_token = dns_set_token,
        .drain = dns_drain,
        .stop = dns_stop,
        .status = dns_status,
    };
    return cu_daemon_main(&dnsd, argc, argv);
}
