#include "common/conf/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/conf/weak.h"

enum { PATH_BYTES = 256, LISTED = 8 /* unknown keys named in one error */ };

/* One source being walked into `into`, with what was found wrong. */
struct walk {
    struct cu_conf_values into;
    bool is_hcl;
    unsigned unknown, mistyped;
    char unknown_list[CU_DIAG_BYTES], mistyped_list[CU_DIAG_BYTES];
};

void cu_conf_values_init(struct cu_conf_values *values)
{
    values->slot = cu_alloc(cu_key_count * sizeof *values->slot);
}

void cu_conf_values_deinit(struct cu_conf_values *values)
{
    for (size_t i = 0; values->slot && i < cu_key_count; i++)
        json_decref(values->slot[i]);
    free(values->slot);
    values->slot = NULL;
}

static void note(char list[CU_DIAG_BYTES], unsigned *count, const char *line)
{
    size_t len = strlen(list);
    if ((*count)++ < LISTED)
        (void)snprintf(list + len, CU_DIAG_BYTES - len, "%s", line);
}

static void note_unknown(struct walk *walk, const char *path)
{
    char line[PATH_BYTES + 40];
    (void)snprintf(line, sizeof line, "\n\t* invalid config key %s", path);
    note(walk->unknown_list, &walk->unknown, line);
}

/* The reference decodes JSON and HCL into these types and names them so. */
static const char *found_name(const json_t *value, bool is_hcl)
{
    if (is_hcl && json_is_integer(value))
        return "int";
    if (is_hcl && json_is_array(value) && json_is_object(json_array_get(value, 0)))
        return "[]map[string]interface {}";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "map[string]interface {}";
    case JSON_ARRAY:
        return "[]interface {}";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "float64";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    case JSON_NULL:
        return "nil";
    }
    return "nil";
}

static const char *wanted_name(enum cu_key_type type)
{
    switch (type) {
    case CU_KEY_BOOL:
        return "bool";
    case CU_KEY_INT:
        return "int";
    case CU_KEY_FLOAT:
        return "float64";
    case CU_KEY_TEXT:
    case CU_KEY_MS:
        return "string";
    case CU_KEY_TEXTS:
        return "[]string";
    case CU_KEY_MAP:
        return "map[string]string";
    case CU_KEY_OBJECT:
        return "map[string]interface {}";
    case CU_KEY_OBJECTS:
        return "[]map[string]interface {}";
    }
    return "nil";
}

/* What the decoder of the reference calls a value where only an object, or a list, will do. */
static const char *kind_name(const json_t *value, bool is_hcl)
{
    if (json_is_object(value))
        return "map";
    return json_is_array(value) ? "slice" : found_name(value, is_hcl);
}

static void note_mistyped(struct walk *walk, const char *path, enum cu_key_type wanted,
                          const json_t *value)
{
    char line[PATH_BYTES + 120];
    const char *kind = kind_name(value, walk->is_hcl);
    bool is_map = wanted == CU_KEY_MAP || wanted == CU_KEY_OBJECT;
    bool is_list = wanted == CU_KEY_TEXTS || wanted == CU_KEY_OBJECTS;
    if (is_map && !json_is_object(value))
        (void)snprintf(line, sizeof line, "\n* '%s' expected a map, got '%s'", path, kind);
    else if (is_list && !json_is_array(value))
        (void)snprintf(line, sizeof line, "\n* '%s': source data must be an array or slice, got %s",
                       path, kind);
    else
        (void)snprintf(line, sizeof line,
                       "\n* '%s' expected type '%s', got unconvertible type '%s'", path,
                       wanted_name(wanted), found_name(value, walk->is_hcl));
    note(walk->mistyped_list, &walk->mistyped, line);
}

static bool all_are(const json_t *list, json_type type)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (json_typeof(item) != type) return false;
    return true;
}

static bool values_are_text(json_t *map)
{
    const char *name;
    json_t *item;
    json_object_foreach(map, name, item) if (!json_is_string(item)) return false;
    return true;
}

static bool fits(enum cu_key_type type, json_t *value)
{
    switch (type) {
    case CU_KEY_BOOL:
        return json_is_boolean(value);
    case CU_KEY_INT:
        return json_is_integer(value);
    case CU_KEY_FLOAT:
        return json_is_number(value);
    case CU_KEY_TEXT:
    case CU_KEY_MS:
        return json_is_string(value);
    case CU_KEY_TEXTS:
        return json_is_array(value) && all_are(value, JSON_STRING);
    case CU_KEY_MAP:
        return json_is_object(value) && values_are_text(value);
    case CU_KEY_OBJECT:
        return json_is_object(value);
    case CU_KEY_OBJECTS:
        return json_is_array(value) && all_are(value, JSON_OBJECT);
    }
    return false;
}

static void merge(json_t **slot, enum cu_key_type type, json_t *value)
{
    bool is_list = type == CU_KEY_TEXTS || type == CU_KEY_OBJECTS;
    bool is_map = type == CU_KEY_MAP || type == CU_KEY_OBJECT;
    if (*slot && is_list) {
        (void)json_array_extend(*slot, value);
    } else if (*slot && is_map) {
        (void)json_object_update(*slot, value);
    } else {
        json_decref(*slot);
        *slot = json_copy(value);
    }
}

/* A key for one object whose objects are those of a list; NULL: another key. */
static const struct cu_key *list_of(const struct cu_key *key)
{
    static const char *const pairs[][2] = {{"check", "checks"}, {"service", "services"}};
    for (size_t i = 0; i < CU_COUNT(pairs); i++)
        if (strcmp(key->path, pairs[i][0]) == 0)
            return cu_key_find(pairs[i][1]);
    return NULL;
}

/* "service": its object, or each of several, is one more of "services" (agent.md 2). */
static void take_into_list(struct walk *walk, const struct cu_key *key, const struct cu_key *list,
                           json_t *value)
{
    json_t *all = json_is_array(value) ? json_incref(value) : json_pack("[O]", value);
    if (fits(list->type, all))
        merge(&walk->into.slot[list - cu_keys], list->type, all);
    else
        note_mistyped(walk, key->path, key->type, value);
    json_decref(all);
}

static void take_value(struct walk *walk, const struct cu_key *key, json_t *value)
{
    const struct cu_key *list = list_of(key);
    bool is_list = key->type == CU_KEY_TEXTS || key->type == CU_KEY_OBJECTS;
    bool is_opaque = key->type == CU_KEY_OBJECT || key->type == CU_KEY_OBJECTS;
    if (is_opaque && strncmp(key->path, "config_entries.", strlen("config_entries.")) != 0)
        cu_conf_weaken(value); /* what is a list in an entry, its kind knows */
    if (list || (key->type == CU_KEY_OBJECTS && json_is_object(value))) {
        take_into_list(walk, key, list ? list : key, value);
        return;
    }
    if (!is_list) /* once, or in a list of one, is the same (agent.md 2) */
        value = cu_conf_unwrapped(value);
    if (!fits(key->type, value))
        note_mistyped(walk, key->path, key->type, value);
    else
        merge(&walk->into.slot[key - cu_keys], key->type, value);
}

/* The table's path for `prefix` + `name`, in any case: a key's or a block's. */
static bool find_any_case(const char *path, char ret_path[PATH_BYTES])
{
    size_t len = strlen(path);
    for (size_t i = 0; i < cu_key_count; i++) {
        const char *row = cu_keys[i].path;
        if (!strncasecmp(row, path, len) && (!row[len] || row[len] == '.')) {
            (void)snprintf(ret_path, PATH_BYTES, "%.*s", (int)len, row);
            return true;
        }
    }
    return false;
}

static void walk_object(struct walk *walk, const char *prefix, json_t *object);

static void walk_entry(struct walk *walk, const char *prefix, json_t *object, const char *name,
                       json_t *value)
{
    char given[PATH_BYTES], path[PATH_BYTES];
    int len = snprintf(given, sizeof given, "%s%s", prefix, name);
    if (len >= PATH_BYTES || *cu_key_name_end(name) || !find_any_case(given, path)) {
        note_unknown(walk, given);
        return;
    }
    const char *own_name = path + strlen(prefix);
    if (strcmp(own_name, name) != 0 && json_object_get(object, own_name)) {
        note_unknown(walk, given); /* the exact spelling stands beside it and wins */
        return;
    }
    if (json_is_null(value))
        return;
    const struct cu_key *key = cu_key_find(path);
    if (key) {
        take_value(walk, key, value);
        return;
    }
    value = cu_conf_unwrapped(value);
    if (!json_is_object(value)) {
        note_mistyped(walk, path, CU_KEY_OBJECT, value);
        return;
    }
    char deeper[PATH_BYTES + 1];
    (void)snprintf(deeper, sizeof deeper, "%s.", path);
    walk_object(walk, deeper, value);
}

/* The depth is bounded by the table's: what is in no row is not entered. */
static void walk_object(struct walk *walk, const char *prefix, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) walk_entry(walk, prefix, object, name, value);
}

static enum cu_err tell(const struct walk *walk, const char *name, struct cu_diag *diag)
{
    if (walk->mistyped)
        return cu_fail(diag, CU_E_INVALID, "failed to parse %s: %u error(s) decoding:\n%s", name,
                       walk->mistyped, walk->mistyped_list);
    if (walk->unknown)
        return cu_fail(diag, CU_E_INVALID, "failed to parse %s: %u error%s occurred:%s", name,
                       walk->unknown, walk->unknown == 1 ? "" : "s", walk->unknown_list);
    return CU_OK;
}

enum cu_err cu_conf_values_take(struct cu_conf_values *values, const char *name, json_t *content,
                                bool is_hcl, struct cu_diag *diag)
{
    struct walk walk = {.is_hcl = is_hcl};
    cu_conf_values_init(&walk.into);
    walk_object(&walk, "", content);
    enum cu_err err = tell(&walk, name, diag);
    for (size_t i = 0; !err && i < cu_key_count; i++)
        if (walk.into.slot[i])
            merge(&values->slot[i], cu_keys[i].type, walk.into.slot[i]);
    cu_conf_values_deinit(&walk.into);
    return err;
}

void cu_conf_values_set(struct cu_conf_values *values, const char *path, json_t *value)
{
    const struct cu_key *key = cu_key_find(path);
    CU_ASSERT(key);
    json_decref(values->slot[key - cu_keys]);
    values->slot[key - cu_keys] = value;
}

json_t *cu_conf_values_get(const struct cu_conf_values *values, const char *path)
{
    const struct cu_key *key = cu_key_find(path);
    CU_ASSERT(key);
    return values->slot[key - cu_keys];
}

bool cu_conf_is_fallback(const struct cu_key *key, const json_t *value)
{
    const char *fallback = key->fallback;
    int64_t number, wanted;
    switch (key->type) {
    case CU_KEY_BOOL:
        return json_is_true(value) == (fallback && !strcmp(fallback, "true"));
    case CU_KEY_INT:
        return fallback && !cu_parse_i64(fallback, strlen(fallback), &wanted) &&
               json_integer_value(value) == wanted;
    case CU_KEY_FLOAT:
        return fallback && json_number_value(value) <= strtod(fallback, NULL) &&
               json_number_value(value) >= strtod(fallback, NULL);
    case CU_KEY_TEXT:
        return !strcmp(json_string_value(value), fallback ? fallback : "");
    case CU_KEY_MS:
        return fallback && !cu_parse_duration_ns(fallback, &wanted, NULL) &&
               !cu_parse_duration_ns(json_string_value(value), &number, NULL) && number == wanted;
    case CU_KEY_TEXTS:
    case CU_KEY_OBJECTS:
        return json_array_size(value) == 0;
    case CU_KEY_MAP:
    case CU_KEY_OBJECT:
        return json_object_size(value) == 0;
    }
    return false;
}
