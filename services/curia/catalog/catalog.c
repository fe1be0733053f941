/* `catalog datacenters` and `catalog services` (cli.md 4.3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/curia/client.h"
#include "services/curia/command.h"
#include "services/curia/catalog/query.h"

enum { TAGS_GAP = 6 };

int cli_catalog_datacenters(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *list = NULL, *name;
    size_t i;
    if (!cli_takes_no_words(args))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = cli_get(http, "/v1/catalog/datacenters", "", NULL, &list, &diag);
    cli_http_free(http);
    json_array_foreach(list, i, name) if (json_is_string(name))(void) puts(json_string_value(name));
    json_decref(list);
    return err ? cli_sorry("Error listing datacenters: %s", diag.text) : 0;
}

static void join_tags(json_t *list, struct cu_buf *out)
{
    size_t count;
    const char **tags = cli_sorted(list, &count);
    for (size_t i = 0; i < count; i++)
        cu_buf_printf(out, "%s%s", i ? "," : "", tags[i]);
    free(tags);
}

/* The block is trimmed as a whole: only the last line loses its padding. */
static void print_services(json_t *services, bool with_tags)
{
    size_t count, width = 0;
    struct cu_buf block = {0};
    const char **rows = cli_sorted(services, &count);
    for (size_t i = 0; i < count; i++)
        width = strlen(rows[i]) > width ? strlen(rows[i]) : width;
    for (size_t i = 0; i < count; i++) {
        cu_buf_printf(&block, "%*s", with_tags ? -(int)(width + TAGS_GAP) : 0, rows[i]);
        if (with_tags)
            join_tags(json_object_get(services, rows[i]), &block);
        cu_buf_u8(&block, '\n');
    }
    while (block.len && strchr(" \n", block.data[block.len - 1]))
        block.len--;
    (void)printf("%.*s\n", (int)block.len, (const char *)block.data);
    cu_buf_deinit(&block);
    free(rows);
}

/* The services of one node as {name: tags}; those of several instances are put together. */
static json_t *services_of_node(json_t *answer)
{
    json_t *services = json_object(), *instance, *all = json_object_get(answer, "Services");
    const char *id;
    json_object_foreach(all, id, instance)
    {
        const char *name = cli_member_text(instance, "Service");
        json_t *tags = json_object_get(services, name);
        if (!tags) {
            tags = json_array();
            (void)json_object_set_new(services, name, tags);
        }
        (void)json_array_extend(tags, json_object_get(instance, "Tags"));
    }
    return services;
}

static enum cu_err fetch(const struct cli_args *args, struct cli_http *http, json_t **ret_services,
                         struct cu_diag *diag)
{
    const char *node = cli_text(args, "node");
    struct cu_buf query = {0};
    json_t *answer = NULL;
    enum cu_err err = catalog_add_node_meta(args, &query, diag);
    if (!err)
        err =
            node && *node
                ? cli_get(http, "/v1/catalog/node/", node, cli_query_text(&query), &answer, diag)
                : cli_get(http, "/v1/catalog/services", "", cli_query_text(&query), &answer, diag);
    cu_buf_deinit(&query);
    if (!err && node && *node) {
        json_t *services = services_of_node(answer);
        json_decref(answer);
        answer = services;
    }
    if (!err)
        *ret_services = answer;
    return err;
}

int cli_catalog_services(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *services = NULL;
    if (!cli_takes_no_words(args))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = fetch(args, http, &services, &diag);
    cli_http_free(http);
    if (err)
        return cli_sorry("Error listing services: %s", diag.text);
    if (json_object_size(services))
        print_services(services, cli_bool(args, "tags"));
    else
        (void)cli_sorry(CATALOG_NOTHING, "services"); /* and still exit code 0 */
    json_decref(services);
    return 0;
}
