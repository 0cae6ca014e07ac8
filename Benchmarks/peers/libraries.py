"""The libraries that `measure` compares, each behind the same steps.

A library's module is imported by its own steps only, so that none is needed for another. Rows come normalized; the
answers are row numbers.
"""

import os
import sys

# Linking as Loci's peers are usually built: 16 neighbors (32 on layer 0), 200 candidates.
M, EF_CONSTRUCTION = 16, 200
EFS = (10, 14, 20, 32, 50, 80, 130, 200, 320, 500, 800)
K = 10
BATCH = 1_000


class Library:
    """What every peer does. A `pass` is one setting of the knobs of a search; its first part is its ef."""

    packages: tuple = ()
    """What to install, with the version that was seen to work."""
    modules: tuple = ()
    """What to import before anything is timed."""
    writes = "whole file"
    """How it is kept: a store takes each batch durably, the others save the whole index at once."""
    seconds = 60
    """About what building and asking take for 100,000 rows of 384, for the estimate that is shown beforehand."""
    most_queries = sys.maxsize
    """Only so many questions are asked where each takes milliseconds."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "index")

    def build(self, rows, numbers):
        """Makes the index, in one thread, and leaves it in the folder. `numbers` are those that filters ask for."""
        raise NotImplementedError

    def create(self, dimension, numbers=None):
        """Makes an empty store that `append` adds to, as `build` does."""
        raise NotImplementedError

    def append(self, first, rows, numbers=None):
        """Adds rows whose numbers begin with `first`, durably: when it returns they are synced, and searches find them."""
        raise NotImplementedError

    def open(self, dimension):
        raise NotImplementedError

    def passes(self):
        return [(ef,) for ef in EFS]

    def prepare(self, queries):
        """The questions in the form that the library takes fastest."""
        return list(queries)

    def use(self, *setting):
        self.ef = setting[0]

    def ask(self, query, condition):
        """What the library answers; `condition` is a filter (field, numbers) or None. It is timed."""
        raise NotImplementedError

    def ids(self, answer):
        """The row numbers of an answer. It is not timed."""
        return answer


class Hnswlib(Library):
    packages = ("hnswlib==0.8.0",)
    modules = ("hnswlib",)
    seconds = 90

    def build(self, rows, numbers):
        import hnswlib

        index = hnswlib.Index(space="ip", dim=rows.shape[1])
        index.init_index(max_elements=len(rows), M=M, ef_construction=EF_CONSTRUCTION)
        index.set_num_threads(1)
        index.add_items(rows)
        index.save_index(self.path)

    def open(self, dimension):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=dimension)
        self.index.load_index(self.path)
        self.index.set_num_threads(1)

    def use(self, ef):
        self.index.set_ef(ef)

    def ask(self, query, condition):
        return self.index.knn_query(query, K)[0]

    def ids(self, answer):
        return answer[0]


class Faiss(Library):
    packages = ("faiss-cpu==1.15.1",)
    modules = ("faiss",)
    seconds = 110

    def made(self, rows):
        import faiss

        return faiss.IndexHNSWFlat(rows.shape[1], 2 * M)

    def graph(self, index):
        return index

    def build(self, rows, numbers):
        import faiss

        faiss.omp_set_num_threads(1)
        index = self.made(rows)
        self.graph(index).hnsw.efConstruction = EF_CONSTRUCTION
        index.train(rows)
        index.add(rows)
        faiss.write_index(index, self.path)

    def open(self, dimension):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(self.path)

    def prepare(self, queries):
        return [query[None] for query in queries]

    def use(self, ef):
        self.graph(self.index).hnsw.efSearch = ef

    def ask(self, query, condition):
        return self.index.search(query, K)[1]

    def ids(self, answer):
        return answer[0]


class FaissRefined(Faiss):
    seconds = 90

    def made(self, rows):
        import faiss

        codes = faiss.IndexHNSWSQ(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, 2 * M)
        self.refined = faiss.IndexRefineFlat(codes)
        self.codes = codes  # The refining index only points to it.
        return self.refined

    def graph(self, index):
        import faiss

        return faiss.downcast_index(index.base_index)

    def passes(self):
        return [(ef, refined) for ef in EFS for refined in (1, 3) if K * refined <= ef]

    def use(self, ef, refined):
        super().use(ef)
        self.index.k_factor = refined


class Usearch(Library):
    packages = ("usearch==2.26.6",)
    modules = ("usearch.index",)
    seconds = 110
    dtype = "f32"

    def build(self, rows, numbers):
        import numpy
        from usearch.index import Index

        index = Index(ndim=rows.shape[1], metric="ip" if self.dtype == "f32" else "cos", dtype=self.dtype,
                      connectivity=M, expansion_add=EF_CONSTRUCTION)
        index.add(numpy.arange(len(rows), dtype=numpy.uint64), rows, threads=1)
        index.save(self.path)

    def open(self, dimension):
        from usearch.index import Index

        self.index = Index.restore(self.path)

    def use(self, ef):
        self.index.expansion_search = ef

    def ask(self, query, condition):
        return self.index.search(query, K, threads=1).keys


class UsearchInt8(Usearch):
    seconds = 80
    dtype = "i8"


class SymphonyQG(Library):
    packages = ("rabitqlib==0.7.1",)
    modules = ("rabitqlib",)
    seconds = 50

    def build(self, rows, numbers):
        from rabitqlib import SymqgIndex

        # Rows have length 1, so this is the order of cosines; by inner products it finds a fifth of them.
        index = SymqgIndex(rows.shape[1], 2 * M, metric="l2")
        index.build(rows, EF_CONSTRUCTION, num_threads=1)
        index.save(self.path)

    def open(self, dimension):
        from rabitqlib import SymqgIndex

        self.index = SymqgIndex.load(self.path)

    def prepare(self, queries):
        return [query[None] for query in queries]

    def ask(self, query, condition):
        return self.index.search(query, K, self.ef, 1)[0]

    def ids(self, answer):
        return answer[0]


class Zvec(Library):
    """int8 codes and, in some passes, the best 2k of them compared again by their rows."""

    packages = ("zvec==0.8.0",)
    modules = ("zvec",)
    writes = "store"
    seconds = 90

    def start(self):
        import zvec

        zvec.init(query_threads=1, optimize_threads=1, log_level=zvec.LogLevel.ERROR)
        return zvec

    def create(self, dimension, numbers=None):
        self.zvec = zvec = self.start()
        hnsw = zvec.HnswIndexParam(
            metric_type=zvec.MetricType.COSINE, m=2 * M, ef_construction=EF_CONSTRUCTION,
            quantize_type=zvec.QuantizeType.INT8, use_contiguous_memory=True)
        vector = zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, dimension, hnsw)
        self.collection = zvec.create_and_open(self.path, zvec.CollectionSchema(name="rows", vectors=vector))

    def insert(self, first, rows):
        docs = [self.zvec.Doc(id=str(first + place), vectors={"vector": row}) for place, row in enumerate(rows)]
        refused = [status for status in self.collection.insert(docs) if not status.ok()]
        if refused:
            raise RuntimeError(f"zvec refused a row: {refused[0]}")

    def append(self, first, rows, numbers=None):
        for start in range(0, len(rows), BATCH):  # It takes no more at once.
            self.insert(first + start, rows[start:start + BATCH])
        self.collection.flush()

    def build(self, rows, numbers):
        self.create(rows.shape[1])
        for start in range(0, len(rows), BATCH):
            self.insert(start, rows[start:start + BATCH])
        self.collection.optimize(self.zvec.OptimizeOption(1))
        self.collection.flush()
        self.collection.close()

    def open(self, dimension):
        self.zvec = self.start()
        self.collection = self.zvec.open(self.path, self.zvec.CollectionOption(read_only=True))

    def passes(self):
        return [(ef, refines) for ef in EFS for refines in (False, True) if not refines or ef >= 2 * K]

    def use(self, ef, refines):
        self.param = self.zvec.HnswQueryParam(ef=ef, is_using_refiner=refines, scale_factor=2 if refines else 0)

    def ask(self, query, condition):
        return self.collection.query_internal_ids(self.zvec.Query("vector", vector=query, param=self.param), topk=K)

    def ids(self, answer):
        return [int(row) for row in self.collection.resolve_internal_ids(answer) if row is not None]


class QdrantEdge(Library):
    """int8 codes; the best of them are always compared again by their rows."""

    packages = ("qdrant-edge-py==0.9.0",)
    modules = ("qdrant_edge",)
    writes = "store"
    seconds = 80

    def create(self, dimension, numbers=None):
        import qdrant_edge as edge

        self.edge = edge
        config = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(dimension, edge.Distance.Cosine),
            hnsw_config=edge.HnswIndexConfig(M, EF_CONSTRUCTION, full_scan_threshold=1, max_indexing_threads=1),
            quantization_config=edge.ScalarQuantizationConfig(
                edge.ScalarType.Int8, quantile=0.99, memory=edge.Memory.Pinned),
            optimizers=edge.EdgeOptimizersConfig(
                indexing_threshold=1, default_segment_number=1, max_segment_size=1 << 30),
            max_search_threads=1)
        os.makedirs(self.path)
        self.shard = edge.EdgeShard.create(self.path, config)
        for field in numbers or ():
            index = edge.IntegerIndexParams(lookup=True, range=True, enable_hnsw=True)
            self.shard.update(edge.UpdateOperation.create_field_index(field, index))

    def upsert(self, first, rows, numbers):
        points = []
        for row, vector in enumerate(rows, first):
            payload = {field: int(values[row]) for field, values in numbers.items()}
            points.append(self.edge.Point(row, vector, payload or None))
        self.shard.update(self.edge.UpdateOperation.upsert_points(points))

    def append(self, first, rows, numbers=None):
        self.upsert(first, rows, numbers or {})
        self.shard.flush()

    def build(self, rows, numbers):
        self.create(rows.shape[1], numbers)
        for start in range(0, len(rows), BATCH):
            self.upsert(start, rows[start:start + BATCH], numbers)
        self.shard.flush()
        self.shard.optimize()
        self.shard.flush()
        self.shard.close()

    def open(self, dimension):
        import qdrant_edge

        self.edge = qdrant_edge
        self.shard = qdrant_edge.EdgeShard.load(self.path)

    def passes(self):
        return [(ef, more) for ef in EFS for more in (1.0, 2.0) if K * more <= ef]

    def prepare(self, queries):
        return queries.tolist()

    def use(self, ef, more):
        quantized = self.edge.QuantizationSearchParams(rescore=True, oversampling=more)
        self.params = self.edge.SearchParams(hnsw_ef=ef, quantization=quantized)

    def ask(self, query, condition):
        edge = self.edge
        return self.shard.search(edge.SearchRequest(
            edge.Query.Nearest(query), K, params=self.params, filter=condition and self.filter(*condition),
            with_payload=False, with_vector=False))

    def filter(self, field, numbers):
        if field == "payload":
            return self.edge.Filter(must=[self.edge.FieldCondition(
                field, range=self.edge.RangeFloat(lt=numbers[0]))])
        return self.edge.Filter(must=[self.edge.FieldCondition(field, match=self.edge.MatchAny(numbers))])

    def ids(self, answer):
        return [point.id for point in answer]


class Hannoy(Library):
    """HNSW in LMDB, linked with its own default of candidates: with more it takes minutes longer."""

    packages = ("hannoy==0.1.3",)
    modules = ("hannoy",)
    writes = "store"
    seconds = 270
    most_queries = 300
    map_bytes = 8 << 30

    def create(self, dimension, numbers=None):
        import hannoy

        os.makedirs(self.path)
        self.database = hannoy.Database(self.path, hannoy.Metric.COSINE, env_size=self.map_bytes)

    def append(self, first, rows, numbers=None):
        with self.database.writer(rows.shape[1], m=M, ef=96) as writer:
            writer.add_items(list(range(first, first + len(rows))), rows)

    def build(self, rows, numbers):
        self.create(rows.shape[1])
        self.append(0, rows)

    def open(self, dimension):
        import hannoy

        self.database = hannoy.Database(self.path, hannoy.Metric.COSINE, env_size=self.map_bytes)
        self.reader = self.database.reader()

    def ask(self, query, condition):
        return self.reader.by_array(query, K, self.ef)

    def ids(self, answer):
        return [row for row, _ in answer]


class LanceDB(Library):
    """One partition with an HNSW graph over 8-bit codes; in some passes the best 2k are compared by their rows."""

    packages = ("lancedb==0.40.0",)
    modules = ("lancedb", "lancedb.index", "pyarrow")
    writes = "store"
    seconds = 120
    most_queries = 100

    def build(self, rows, numbers):
        import lancedb
        import pyarrow
        from lancedb.index import HnswSq

        vectors = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(rows.ravel()), rows.shape[1])
        ids = pyarrow.array(range(len(rows)), pyarrow.uint32())
        table = lancedb.connect(self.path).create_table("rows", pyarrow.table({"id": ids, "vector": vectors}))
        table.create_index("vector", config=HnswSq(
            distance_type="cosine", num_partitions=1, m=M, ef_construction=EF_CONSTRUCTION))

    def open(self, dimension):
        import lancedb

        self.table = lancedb.connect(self.path).open_table("rows")

    def passes(self):
        return [(ef, refined) for ef in EFS[::2] for refined in (1, 2) if refined == 1 or ef >= 2 * K]

    def use(self, ef, refined):
        self.ef, self.refined = ef, refined

    def ask(self, query, condition):
        search = self.table.search(query, vector_column_name="vector").distance_type("cosine").nprobes(1).ef(self.ef)
        if self.refined > 1:
            search = search.refine_factor(self.refined)
        return search.limit(K).select(["id", "_distance"]).to_arrow()

    def ids(self, answer):
        return answer["id"].to_numpy()


class SqliteVec(Library):
    """Every row is compared. SQLite comes with apsw: not every Python's own one can load an extension."""

    packages = ("sqlite-vec==0.1.9", "apsw==3.54.1.0")
    modules = ("apsw", "sqlite_vec")
    writes = "store"
    seconds = 25
    most_queries = 100

    def connect(self):
        import apsw
        import sqlite_vec

        self.connection = apsw.Connection(self.path)
        self.connection.enable_load_extension(True)
        self.connection.load_extension(sqlite_vec.loadable_path())

    def create(self, dimension, numbers=None):
        self.connect()
        self.connection.execute("pragma synchronous = full")
        self.connection.execute(
            f"create virtual table rows using vec0(vector float[{dimension}] distance_metric=cosine)")

    def append(self, first, rows, numbers=None):
        with self.connection:
            self.connection.executemany(
                "insert into rows(rowid, vector) values (?, ?)",
                ((row, vector.tobytes()) for row, vector in enumerate(rows, first)))

    def build(self, rows, numbers):
        self.create(rows.shape[1])
        for start in range(0, len(rows), BATCH):
            self.append(start, rows[start:start + BATCH])
        self.connection.close()

    def open(self, dimension):
        self.connect()

    def passes(self):
        return [(0,)]

    def prepare(self, queries):
        return [query.tobytes() for query in queries]

    def ask(self, query, condition):
        return list(self.connection.execute("select rowid from rows where vector match ? and k = ?", (query, K)))

    def ids(self, answer):
        return [row for row, in answer]


LIBRARIES = {
    "hnswlib": Hnswlib, "faiss": Faiss, "faiss-sq8": FaissRefined, "usearch": Usearch, "usearch-i8": UsearchInt8,
    "symphonyqg": SymphonyQG, "zvec": Zvec, "qdrant-edge": QdrantEdge, "hannoy": Hannoy, "lancedb": LanceDB,
    "sqlite-vec": SqliteVec}
