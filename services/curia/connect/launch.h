/* launch.h - becomes Envoy, with the bootstrap given through a pipe of a name (mesh.md 2.8). */
#ifndef CLI_CONNECT_LAUNCH_H
#define CLI_CONNECT_LAUNCH_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* `binary` NULL: "envoy" of PATH. `args` are further ones, NULL-ended. Returns only when it cannot
 * be done. */
enum cu_err connect_launch(const char *binary, char *const *args, struct cu_bytes bootstrap,
                           struct cu_diag *diag);

#endif
