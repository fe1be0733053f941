/* `catalog nodes` (cli.md 4.3). */
#include <stdio.h>
#include <string.h>

#include "services/curia/catalog/query.h"
#include "services/curia/command.h"
#include "services/curia/kv/pair.h"
#include "services/curia/table.h"

enum { ID_BYTES = 64 };

enum cu_err catalog_add_node_meta(const struct cli_args *args, struct cu_buf *query,
                                  struct cu_diag *diag)
{
    for (size_t i = 0; i < args->value_count; i++) {
        if (strcmp(args->values[i].flag->name, "node-meta") != 0)
            continue;
        const char *text = args->values[i].text, *equals = strchr(text, '=');
        if (!equals)
            return cu_fail(diag, CU_E_INVALID, "-node-meta wants key=value, got \"%s\"", text);
        struct cu_buf pair = {0};
        cu_buf_printf(&pair, "%.*s:%s", (int)(equals - text), text, equals + 1);
        cli_query_add(query, "node-meta", cli_query_text(&pair));
        cu_buf_deinit(&pair);
    }
    return CU_OK;
}

/* "k=v, k=v", sorted; what cli_query_text() wants: the buffer is the caller's. */
static const char *map_text(json_t *map, struct cu_buf *out)
{
    cli_join_members(map, ", ", out);
    return cli_query_text(out);
}

static void add_row(struct cli_table *table, json_t *node, bool detailed)
{
    const char *id = cli_member_text(node, "ID");
    char cut[ID_BYTES];
    struct cu_buf addresses = {0}, meta = {0};
    json_t *meta_map = json_object_get(node, "NodeMeta"); /* of an instance of a service */
    (void)snprintf(cut, sizeof cut, "%.*s", (int)strcspn(id, "-"), id);
    const char *cells[] = {cli_member_text(node, "Node"),
                           detailed ? id : cut,
                           cli_member_text(node, "Address"),
                           cli_member_text(node, "Datacenter"),
                           map_text(json_object_get(node, "TaggedAddresses"), &addresses),
                           map_text(meta_map ? meta_map : json_object_get(node, "Meta"), &meta)};
    cli_table_add(table, cells);
    cu_buf_deinit(&addresses);
    cu_buf_deinit(&meta);
}

static void print(json_t *nodes, bool detailed)
{
    static const char *const titles[] = {"Node", "ID", "Address", "DC", "TaggedAddresses", "Meta"};
    struct cli_table table = {.columns = detailed ? CU_COUNT(titles) : CU_COUNT(titles) - 2};
    size_t i;
    json_t *node;
    cli_table_add(&table, titles);
    json_array_foreach(nodes, i, node) add_row(&table, node, detailed);
    cli_table_print(&table);
    cli_table_deinit(&table);
}

static enum cu_err add_filter(const struct cli_args *args, struct cu_buf *query,
                              struct cu_diag *diag)
{
    const char *filter = cli_text(args, "filter");
    struct cu_buf text = {0};
    enum cu_err err = filter ? kv_data_source(filter, &text, diag) : CU_OK;
    if (!err && filter)
        cli_query_add(query, "filter", cli_query_text(&text));
    cu_buf_deinit(&text);
    return err;
}

static enum cu_err fetch(const struct cli_args *args, struct cli_http *http, json_t **ret_nodes,
                         struct cu_diag *diag)
{
    const char *service = cli_text(args, "service"), *near = cli_text(args, "near");
    struct cu_buf query = {0};
    bool of_service = service && *service;
    enum cu_err err = catalog_add_node_meta(args, &query, diag);
    if (!err)
        err = add_filter(args, &query, diag);
    cli_query_add(&query, "near", near && *near ? near : NULL);
    if (!err)
        err = cli_get(http, of_service ? "/v1/catalog/service/" : "/v1/catalog/nodes",
                      of_service ? service : "", cli_query_text(&query), ret_nodes, diag);
    cu_buf_deinit(&query);
    return err;
}

int cli_catalog_nodes(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *nodes = NULL;
    if (!cli_takes_no_words(args))
        return 1;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = fetch(args, http, &nodes, &diag);
    cli_http_free(http);
    if (err)
        return cli_sorry("Error listing nodes: %s", diag.text);
    if (json_array_size(nodes))
        print(nodes, cli_bool(args, "detailed"));
    else
        (void)cli_sorry(CATALOG_NOTHING, "nodes"); /* and still exit code 0 */
    json_decref(nodes);
    return 0;
}
