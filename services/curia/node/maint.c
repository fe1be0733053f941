/* `maint` (cli.md 4.17). */
#include <stdio.h>
#include <string.h>

#include "services/curia/client.h"
#include "services/curia/command.h"

#define NODE_CHECK    "_node_maintenance"
#define SERVICE_CHECK "_service_maintenance:"

static void print_check(const char *kind, const char *label, const char *name, const json_t *check)
{
    (void)printf("%s:\n  %-8s%s\n  %-8s%s\n\n", kind, label, name,
                 "Reason:", cli_member_text(check, "Notes"));
}

static int list(struct cli_http *http)
{
    struct cu_diag diag = {0};
    json_t *checks = NULL, *check;
    const char *id;
    if (cli_get(http, "/v1/agent/checks", "", NULL, &checks, &diag))
        return cli_sorry("Error getting checks: %s", diag.text);
    json_object_foreach(checks, id, check)
    {
        if (!strcmp(id, NODE_CHECK))
            print_check("Node", "Name:", cli_member_text(check, "Node"), check);
        else if (!strncmp(id, SERVICE_CHECK, strlen(SERVICE_CHECK)))
            print_check("Service", "ID:", cli_member_text(check, "ServiceID"), check);
    }
    json_decref(checks);
    return 0;
}

/* "true" or "false" for the agent, "enable" or "disable" for people. */
static int turn(const struct cli_args *args, struct cli_http *http, bool on)
{
    const char *service = cli_text(args, "service"), *reason = cli_text(args, "reason");
    struct cu_diag diag = {0};
    struct cu_buf query = {0};
    cli_query_add(&query, "enable", on ? "true" : "false");
    cli_query_add(&query, "reason", reason && *reason ? reason : NULL);
    bool of_service = service && *service;
    enum cu_err err = of_service ? cli_put(http, "/v1/agent/service/maintenance/", service,
                                           cli_query_text(&query), NULL, &diag)
                                 : cli_put(http, "/v1/agent/maintenance", "",
                                           cli_query_text(&query), NULL, &diag);
    cu_buf_deinit(&query);
    if (err)
        return cli_sorry("Error %s %s maintenance: %s", on ? "enabling" : "disabling",
                         of_service ? "service" : "node", diag.text);
    if (of_service)
        (void)printf("Service maintenance is now %s for \"%s\"\n", on ? "enabled" : "disabled",
                     service);
    else
        (void)printf("Node maintenance is now %s\n", on ? "enabled" : "disabled");
    return 0;
}

int cli_maint(const struct cli_args *args)
{
    bool enable = cli_bool(args, "enable"), disable = cli_bool(args, "disable");
    const char *reason = cli_text(args, "reason"), *service = cli_text(args, "service");
    if (!cli_takes_no_words(args))
        return 1;
    if (enable && disable)
        return cli_sorry("Only one of -enable or -disable may be provided");
    if (!enable && reason && *reason)
        return cli_sorry("Reason may only be provided with -enable");
    if (!enable && !disable && service && *service)
        return cli_sorry("Service requires either -enable or -disable");
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    int code = enable || disable ? turn(args, http, enable) : list(http);
    cli_http_free(http);
    return code;
}
