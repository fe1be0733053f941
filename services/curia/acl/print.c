#include "services/curia/acl/print.h"

#include <stdio.h>
#include <string.h>

#include "services/curia/client.h"
#include "services/curia/kv/pair.h"

enum { TOKEN_WIDTH = 18, WIDTH = 14, INDENT = 3 }; /* columns before a value; of a list's element */

/* How an object is laid out. */
struct style {
    int indent, width;
};
static const struct style of_token = {0, TOKEN_WIDTH}, of_one = {0, WIDTH},
                          of_element = {INDENT, WIDTH};

/* ---- lines ---- */

static void line(struct style style, const char *label, const char *value)
{
    (void)printf("%*s%-*s%s\n", style.indent, "", style.width, label, value);
}

static void title(struct style style, const char *label)
{
    (void)printf("%*s%s\n", style.indent, "", label);
}

static void member(struct style style, const char *label, const json_t *object, const char *name)
{
    line(style, label, cli_member_text(object, name));
}

static void join(const json_t *list, const char *none, struct cu_buf *out)
{
    json_t *text, *all = (json_t *)(uintptr_t)list; /* only read */
    size_t i;
    json_array_foreach(all, i, text) cu_buf_printf(
        out, "%s%s", i ? ", " : "", json_string_value(text) ? json_string_value(text) : "");
    if (!out->len)
        cu_buf_text(out, none);
}

static void datacenters(struct style style, const json_t *object)
{
    struct cu_buf text = {0};
    join(json_object_get(object, "Datacenters"), "", &text);
    line(style, "Datacenters:", cli_query_text(&text));
    cu_buf_deinit(&text);
}

/* "2026-11-20T10:38:10.37Z" as "2026-11-20 10:38:10.37 +0000 UTC". */
static void moment(struct style style, const char *label, const json_t *object, const char *name)
{
    struct cu_buf text = {0};
    const char *said = cli_member_text(object, name);
    size_t day = strcspn(said, "T"), len = strcspn(said, "Z");
    if (day < len)
        cu_buf_printf(&text, "%.*s %.*s +0000 UTC", (int)day, said, (int)(len - day - 1),
                      said + day + 1);
    else
        cu_buf_text(&text, said);
    line(style, label, cli_query_text(&text));
    cu_buf_deinit(&text);
}

static void number(struct style style, const char *label, const json_t *object, const char *name)
{
    (void)printf("%*s%-*s%lld\n", style.indent, "", style.width, label,
                 (long long)json_integer_value(json_object_get(object, name)));
}

static void meta(struct style style, const json_t *object)
{
    struct cu_buf hash = {0}, hex = {0};
    struct cu_diag diag;
    if (kv_base64_decode(cli_member_text(object, "Hash"), &hash, &diag) == CU_OK)
        for (size_t i = 0; i < hash.len; i++)
            cu_buf_printf(&hex, "%02x", hash.data[i]);
    line(style, "Hash:", cli_query_text(&hex));
    number(style, "Create Index:", object, "CreateIndex");
    number(style, "Modify Index:", object, "ModifyIndex");
    cu_buf_deinit(&hash);
    cu_buf_deinit(&hex);
}

/* ---- what is linked ---- */

static void links(struct style style, const char *label, const json_t *list)
{
    json_t *link, *all = (json_t *)(uintptr_t)list; /* only read */
    size_t i;
    if (json_array_size(list))
        title(style, label);
    json_array_foreach(all, i, link)(void)
        printf("%*s%s - %s\n", style.indent + INDENT, "", cli_member_text(link, "ID"),
               cli_member_text(link, "Name"));
}

static void service_identities(struct style style, const json_t *list)
{
    json_t *identity, *all = (json_t *)(uintptr_t)list; /* only read */
    size_t i;
    if (json_array_size(list))
        title(style, "Service Identities:");
    json_array_foreach(all, i, identity)
    {
        struct cu_buf where = {0};
        join(json_object_get(identity, "Datacenters"), "all", &where);
        (void)printf("%*s%s (Datacenters: %s)\n", style.indent + INDENT, "",
                     cli_member_text(identity, "ServiceName"), cli_query_text(&where));
        cu_buf_deinit(&where);
    }
}

static void node_identities(struct style style, const json_t *list)
{
    json_t *identity, *all = (json_t *)(uintptr_t)list; /* only read */
    size_t i;
    if (json_array_size(list))
        title(style, "Node Identities:");
    json_array_foreach(all, i, identity)(void)
        printf("%*s%s (Datacenter: %s)\n", style.indent + INDENT, "",
               cli_member_text(identity, "NodeName"), cli_member_text(identity, "Datacenter"));
}

static void all_links(struct style style, const json_t *object)
{
    links(style, "Policies:", json_object_get(object, "Policies"));
    links(style, "Roles:", json_object_get(object, "Roles"));
    service_identities(style, json_object_get(object, "ServiceIdentities"));
    node_identities(style, json_object_get(object, "NodeIdentities"));
}

/* ---- tokens ---- */

static void token_head(const json_t *token)
{
    member(of_token, "Description:", token, "Description");
    line(of_token, "Local:", json_is_true(json_object_get(token, "Local")) ? "true" : "false");
    if (*cli_member_text(token, "AuthMethod"))
        member(of_token, "Auth Method:", token, "AuthMethod");
    moment(of_token, "Create Time:", token, "CreateTime");
    if (*cli_member_text(token, "ExpirationTime"))
        moment(of_token, "Expiration Time:", token, "ExpirationTime");
}

static void token_tail(const json_t *token, bool has_meta)
{
    if (has_meta)
        meta(of_token, token);
    all_links(of_token, token);
}

void acl_print_token(const json_t *token, bool has_meta)
{
    member(of_token, "AccessorID:", token, "AccessorID");
    member(of_token, "SecretID:", token, "SecretID");
    token_head(token);
    token_tail(token, has_meta);
    (void)putchar('\n');
}

void acl_print_token_stub(const json_t *token, size_t at, bool has_meta)
{
    if (at)
        (void)putchar('\n');
    member(of_token, "AccessorID:", token, "AccessorID");
    token_head(token);
    line(of_token, "Legacy:", json_is_true(json_object_get(token, "Legacy")) ? "true" : "false");
    token_tail(token, has_meta);
}

/* ---- policies ---- */

void acl_print_policy(const json_t *policy, bool has_meta)
{
    member(of_one, "ID:", policy, "ID");
    member(of_one, "Name:", policy, "Name");
    member(of_one, "Description:", policy, "Description");
    datacenters(of_one, policy);
    if (has_meta)
        meta(of_one, policy);
    (void)printf("Rules:\n%s\n", cli_member_text(policy, "Rules"));
}

void acl_print_policy_stub(const json_t *policy, size_t at, bool has_meta)
{
    (void)at;
    (void)printf("%s:\n", cli_member_text(policy, "Name"));
    member(of_element, "ID:", policy, "ID");
    member(of_element, "Description:", policy, "Description");
    datacenters(of_element, policy);
    if (has_meta)
        meta(of_element, policy);
}

/* ---- roles ---- */

void acl_print_role(const json_t *role, bool has_meta)
{
    member(of_one, "ID:", role, "ID");
    member(of_one, "Name:", role, "Name");
    member(of_one, "Description:", role, "Description");
    if (has_meta)
        meta(of_one, role);
    all_links(of_one, role);
    (void)putchar('\n');
}

void acl_print_role_stub(const json_t *role, size_t at, bool has_meta)
{
    (void)at;
    (void)printf("%s:\n", cli_member_text(role, "Name"));
    member(of_element, "ID:", role, "ID");
    member(of_element, "Description:", role, "Description");
    if (has_meta)
        meta(of_element, role);
    all_links(of_element, role);
}
