/// LMDB (Debian: liblmdb-dev). All its flags and error codes are plain integers, which Swift imports as
/// `Int32`; cursor operations are values of `MDB_cursor_op`.
#include <lmdb.h>
