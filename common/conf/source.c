#include "common/conf/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"

enum { PATH_BYTES = 4096 };

static bool ends_in(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);
    return len >= tail && !strcmp(name + len - tail, ending);
}

/* Go's words for an errno, since scripts match them; the C library's begin with a capital. */
static const char *go_words(int error)
{
    switch (error) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
        return "permission denied";
    case ENOTDIR:
        return "not a directory";
    default:
        return strerror(error);
    }
}

static enum cu_err open_failed(const char *path, struct cu_diag *diag)
{
    return cu_fail(diag, errno == ENOENT || errno == ENOTDIR ? CU_E_NOT_FOUND : CU_E_IO,
                   "config: Open failed on %s. open %s: %s", path, path, go_words(errno));
}

enum cu_err cu_conf_read_text(const char *text, size_t len, const char *name, cu_conf_take *take,
                              void *arg, struct cu_diag *diag)
{
    if (len > CU_CONF_FILE_BYTES)
        return cu_fail(diag, CU_E_TOO_LARGE, "failed to parse %s: file is over %d bytes", name,
                       CU_CONF_FILE_BYTES);
    json_error_t error;
    json_t *content = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!content)
        return cu_fail(diag, CU_E_INVALID, "failed to parse %s: line %d, column %d: %s", name,
                       error.line, error.column, error.text);
    enum cu_err err = CU_OK;
    if (!json_is_object(content))
        err = cu_fail(diag, CU_E_INVALID, "failed to parse %s: not a JSON object", name);
    if (!err)
        err = take(arg, name, content, diag);
    json_decref(content);
    return err;
}

static enum cu_err read_file(const char *path, cu_conf_take *take, void *arg, struct cu_diag *diag)
{
    if (ends_in(path, ".hcl"))
        return cu_fail(diag, CU_E_INVALID,
                       "failed to parse %s: HCL is not read yet, write this file as JSON (.json)",
                       path);
    FILE *file = fopen(path, "re");
    if (!file)
        return open_failed(path, diag);
    char *text = cu_alloc(CU_CONF_FILE_BYTES + 1);
    size_t len = fread(text, 1, CU_CONF_FILE_BYTES + 1, file);
    enum cu_err err = CU_OK;
    if (ferror(file))
        err = cu_fail(diag, CU_E_IO, "config: Read failed on %s. %s", path, go_words(errno));
    (void)fclose(file); /* only read */
    if (!err)
        err = cu_conf_read_text(text, len, path, take, arg, diag);
    free(text);
    return err;
}

static enum cu_err read_entry(const char *folder, const char *name, json_t *warnings,
                              cu_conf_take *take, void *arg, struct cu_diag *diag)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len >= PATH_BYTES)
        return cu_fail(diag, CU_E_INVALID, "config: path over %d bytes: %s", PATH_BYTES, folder);
    struct stat info;
    if (stat(path, &info))
        return open_failed(path, diag);
    if (S_ISDIR(info.st_mode))
        return CU_OK;
    if (ends_in(name, ".json") || ends_in(name, ".hcl"))
        return read_file(path, take, arg, diag);
    char text[PATH_BYTES + 80];
    (void)snprintf(
        text, sizeof text,
        "skipping file %s, extension must be .hcl or .json, or config format must be set", path);
    if (warnings)
        (void)json_array_append_new(warnings, json_string(text));
    return CU_OK;
}

static enum cu_err read_folder(const char *path, json_t *warnings, cu_conf_take *take, void *arg,
                               struct cu_diag *diag)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return open_failed(path, diag);
    enum cu_err err = CU_OK;
    for (int i = 0; i < count; i++) {
        if (!err && strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            err = read_entry(path, entries[i]->d_name, warnings, take, arg, diag);
        free(entries[i]);
    }
    free(entries);
    return err;
}

enum cu_err cu_conf_read(const char *path, json_t *warnings, cu_conf_take *take, void *arg,
                         struct cu_diag *diag)
{
    struct stat info;
    if (stat(path, &info))
        return open_failed(path, diag);
    if (S_ISDIR(info.st_mode))
        return read_folder(path, warnings, take, arg, diag);
    return read_file(path, take, arg, diag);
}
