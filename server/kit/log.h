/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_LOG_H
#define KIT_LOG_H

/* One line a message on standard error, time in UTC first, written in one piece. Never log payloads, vectors,
 * keys, labels, shard numbers of queries or addresses of clients: what is not written cannot leak. */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** From `error`, `warn`, `info`, `debug`; -1 for another word. The level is the process's; the start is info.
 */
int log_level_from_name(const char *name);
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
