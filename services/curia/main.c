/* curia - the operator's shell: talks to the HTTP API and the bus, and supervises a node. See
 * README.md. */
#include <curl/curl.h>

#include "services/curia/command.h"

int main(int argc, char **argv)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); /* a failure shows at the first request */
    int code = cli_main(argc, argv);
    curl_global_cleanup();
    return code;
}
