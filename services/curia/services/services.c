/* `services register` and `services deregister` (cli.md 4.22). */
#include <stdio.h>
#include <string.h>

#include "services/curia/client.h"
#include "services/curia/command.h"
#include "services/curia/services/definition.h"

/* Does one thing with each definition; returns the exit code and stops at the first failure. */
typedef int each_service(struct cli_http *http, const json_t *body);

static const char *name_of(const json_t *body, const char *wanted)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, name,
                        value) if (!strcasecmp(name, wanted) &&
                                   json_is_string(value)) return json_string_value(value);
    return "";
}

static int register_one(struct cli_http *http, const json_t *body)
{
    struct cu_diag diag = {0};
    if (cli_put(http, "/v1/agent/service/register", "", NULL, body, &diag))
        return cli_sorry("Error registering service \"%s\": %s", name_of(body, "Name"), diag.text);
    (void)printf("Registered service: %s\n", name_of(body, "Name"));
    return 0;
}

static int deregister_id(struct cli_http *http, const char *id)
{
    struct cu_diag diag = {0};
    if (cli_put(http, "/v1/agent/service/deregister/", id, NULL, NULL, &diag))
        return cli_sorry("Error deregistering service \"%s\": %s", id, diag.text); /* Q5 */
    (void)printf("Deregistered service: %s\n", id);
    return 0;
}

static int deregister_one(struct cli_http *http, const json_t *body)
{
    const char *id = name_of(body, "ID");
    return deregister_id(http, *id ? id : name_of(body, "Name"));
}

static int with_files(const struct cli_args *args, each_service *each)
{
    struct cu_diag diag = {0};
    json_t *bodies = NULL, *body;
    size_t i;
    if (services_read_files(args->words, args->word_count, &bodies, &diag))
        return cli_sorry("Error: %s", diag.text);
    struct cli_http *http = cli_connect(args);
    int code = http ? 0 : 1;
    json_array_foreach(bodies, i, body) if (!code) code = each(http, body);
    cli_http_free(http);
    json_decref(bodies);
    return code;
}

int cli_services_register(const struct cli_args *args)
{
    const char *name = cli_text(args, "name");
    struct cu_diag diag = {0};
    json_t *body = NULL;
    if (!args->word_count && !name)
        return cli_sorry("Service registration requires at least one argument or flags.");
    if (args->word_count && (name || cli_text(args, "id")))
        return cli_sorry("Service registration requires arguments or -id, not both.");
    if (args->word_count)
        return with_files(args, register_one);
    if (services_read_flags(args, &body, &diag))
        return cli_sorry("%s", diag.text);
    struct cli_http *http = cli_connect(args);
    int code = http ? register_one(http, body) : 1;
    cli_http_free(http);
    json_decref(body);
    return code;
}

int cli_services_deregister(const struct cli_args *args)
{
    const char *id = cli_text(args, "id");
    if (!args->word_count && !id)
        return cli_sorry("Service deregistration requires at least one argument or -id.");
    if (args->word_count && id)
        return cli_sorry("Service deregistration requires arguments or -id, not both.");
    if (args->word_count)
        return with_files(args, deregister_one);
    struct cli_http *http = cli_connect(args);
    int code = http ? deregister_id(http, id) : 1;
    cli_http_free(http);
    return code;
}
