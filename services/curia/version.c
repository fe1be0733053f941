/* `version` (cli.md 4.26). */
#include <stdio.h>
#include <string.h>

#include "services/curia/command.h"

static void print_pretty(void)
{
    static const char consul[] = "Consul v" CLI_CONSUL_VERSION "\n",
                      own[] = "Curia v" CU_VERSION "\n";
    bool as_own = !strcmp(cli_name(), "curia");
    (void)printf(
        "%s%sProtocol 2 spoken by default, understands 2 to 3 (agent will automatically use "
        "protocol >2 when speaking to compatible agents)\n\n",
        as_own ? own : consul, as_own ? consul : own);
}

static void print_json(void)
{
    (void)printf(
        "{\n   \"Version\": \"%s\",\n   \"Revision\": \"\",\n   \"Prerelease\": \"\",\n"
        "   \"RPC\": {\n      \"Default\": 2,\n      \"Min\": 2,\n      \"Max\": 3\n   },\n"
        "   \"Curia\": \"%s\"\n}\n",
        CLI_CONSUL_VERSION, CU_VERSION);
}

int cli_version(const struct cli_args *args)
{
    const char *format = cli_text(args, "format");
    if (!format || !strcmp(format, "pretty")) {
        print_pretty();
        return 0;
    }
    if (!strcmp(format, "json")) {
        print_json();
        return 0;
    }
    (void)fprintf(stderr, "Unknown format: %s\n", format);
    return 1;
}
