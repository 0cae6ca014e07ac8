import Store

/// The self-check of an index, for `check` and for tests: what must be true after every commit.
extension HNSWIndex {
    /// What is wrong with the index in this snapshot, in words; empty if nothing is.
    ///
    /// It holds that
    ///
    /// - every page of links is there, whole (by its checksum), and none too many;
    /// - lists have no slot twice, none that is their own, is not linked or is of a lower level, and no erased one
    ///   that does not wait for its repair; erased slots have empty lists;
    /// - the links of the tree lead from the entry point to every node, to each by one link;
    /// - each linked slot has the code of its row, and slots that were erased or are not linked have none;
    /// - the entry point has the highest level of all nodes, and the counts are right;
    /// - each note speaks of an erased slot.
    ///
    /// - Parameter withCodes: also that each code is that of its row.
    /// - Throws: what reading the slot column throws; damage of the index itself is reported instead.
    /// - Complexity: O(links); about 0.1 s for 100,000 rows; ten times that with codes.
    package func validate(
        _ extent: VectorSegments.Extent, withCodes: Bool = true, in transaction: borrowing ReadTransaction
    ) throws -> [String] {
        var check = IndexCheck()
        let known: IndexState?
        do {
            known = try state(in: transaction)
        } catch let error as StoreError {
            return ["the record of the index: \(error.message)"]
        }
        guard let state = known else {
            for kind in LinkPages.Kind.allCases {
                try table.scan(
                    prefix: Key(prefix: kind.rawValue).u16(segments.space), in: transaction, isVerified: false
                ) { _, _ in
                    check.add("there are links of an index that has no record")
                    return false
                }
            }
            return check.problems
        }
        guard state.linkedSlots <= extent.segmentedSlots else {
            return ["\(state.linkedSlots) slots are linked, and \(extent.segmentedSlots) are in segments"]
        }
        let passages = try segments.segmentedPassages(extent, in: transaction)
        let noted = try noted(state, passages, &check, in: transaction)
        // A graph on its way out is not searched; its pages go.
        if state.isDropping { return check.problems }
        var lists = UpperLists()
        lists.extend(to: state.linkedSlots, state.levels)
        let bottom = try entries(
            bottomPages(state), listCount: Int(state.linkedSlots), &check, in: transaction)
        let upper = try entries(upperPages(state), listCount: lists.listCount, &check, in: transaction)
        guard let bottom, let upper else { return check.problems }
        let graph = GraphCheck(state: state, lists: lists, passages: passages, noted: noted)
        graph.checkBottom(bottom, &check)
        graph.checkUpper(upper, &check)
        graph.checkTree(bottom, &check)
        do {
            _ = try curve(in: transaction)
        } catch let error as StoreError {
            check.add(error.message)
        }
        if state.hasCodes {
            if withCodes { try checkCodes(state, extent, passages, &check, in: transaction) }
        } else {
            for kind in [LinkPages.Kind.code, .center] {
                try table.scan(
                    prefix: Key(prefix: kind.rawValue).u16(segments.space), in: transaction, isVerified: false
                ) { _, _ in
                    check.add("there are codes, and the record says that there are none")
                    return false
                }
            }
        }
        return check.problems
    }

    /// The noted slots; each must be an erased one.
    private func noted(
        _ state: IndexState, _ passages: [UInt32], _ check: inout IndexCheck,
        in transaction: borrowing ReadTransaction
    ) throws -> Set<UInt32> {
        var noted = Set<UInt32>()
        do {
            for slot in try notes(in: transaction) {
                noted.insert(slot)
                if slot >= passages.count || passages[Int(slot)] != VectorSegments.noPassage {
                    check.add("slot \(slot) is noted as erased, and is not")
                }
            }
        } catch let error as StoreError {
            check.add("the notes of the index: \(error.message)")
        }
        if noted.count != state.notedCount {
            check.add("\(noted.count) erased slots are noted, the record says \(state.notedCount)")
        }
        return noted
    }

    /// The entries of all lists, one list after the other; `nil` if a page is not as it should be.
    private func entries(
        _ pages: LinkPages, listCount: Int, _ check: inout IndexCheck,
        in transaction: borrowing ReadTransaction
    ) throws -> [[UInt32]]? {
        var lists: [[UInt32]] = []
        lists.reserveCapacity(listCount + pages.listsPerPage)
        var isWhole = true
        for page in 0..<pages.pageCount(listCount) {
            do {
                guard let payload = try table.get(pages.key(page), in: transaction),
                    pages.isPage(page, payload)
                else {
                    check.add("page \(page) of the links (\(pages.kind)) is missing or none")
                    isWhole = false
                    continue
                }
                for place in 0..<pages.listsPerPage {
                    let list = pages.entries(place, of: payload)
                    lists.append(list)
                    let rest = (list.count..<pages.listLength).contains { index in
                        payload.u32(
                            at: LinkPages.headerByteCount + place * pages.listByteCount + index * 4)
                            != Slot.none
                    }
                    if rest { check.add("a list of page \(page) (\(pages.kind)) has entries behind its end") }
                }
            } catch let error as StoreError {
                check.add("page \(page) of the links (\(pages.kind)): \(error.message)")
                isWhole = false
            }
        }
        try table.scan(
            prefix: pages.prefix, from: pages.key(pages.pageCount(listCount)), in: transaction,
            isVerified: false
        ) { _, _ in
            check.add("there are more pages of links (\(pages.kind)) than lists need")
            return false
        }
        guard isWhole else { return nil }
        if lists.dropFirst(listCount).contains(where: { !$0.isEmpty }) {
            check.add("lists (\(pages.kind)) of slots that are not linked are not empty")
        }
        return Array(lists.prefix(listCount))
    }
}

/// Problems found, at most a hundred.
struct IndexCheck {
    private(set) var problems: [String] = []
    mutating func add(_ problem: String) {
        if problems.count < 100 { problems.append(problem) }
    }
}

/// The checks of a graph whose pages are whole.
private struct GraphCheck {
    let state: IndexState
    let lists: UpperLists
    let passages: [UInt32]
    let noted: Set<UInt32>
    private let levels: NodeLevels

    init(state: IndexState, lists: UpperLists, passages: [UInt32], noted: Set<UInt32>) {
        self.state = state
        self.lists = lists
        self.passages = passages
        self.noted = noted
        levels = state.levels
    }

    private func isLive(_ slot: UInt32) -> Bool { passages[Int(slot)] != VectorSegments.noPassage }
    private func isNode(_ slot: UInt32) -> Bool { isLive(slot) || noted.contains(slot) }

    private func checkList(_ list: [UInt32], of slot: UInt32, layer: Int, _ check: inout IndexCheck) {
        if list.isEmpty { return }
        if !isNode(slot) { check.add("slot \(slot) is erased and has links in layer \(layer)") }
        var previous = Slot.none
        for slotOfEntry in list.map({ $0 & Slot.mask }).sorted() {
            if slotOfEntry == previous {
                check.add("slot \(slot) links twice to \(slotOfEntry) in layer \(layer)")
            }
            previous = slotOfEntry
            if slotOfEntry >= state.linkedSlots {
                check.add("slot \(slot) links to \(slotOfEntry), which is not linked, in layer \(layer)")
                continue
            }
            if slotOfEntry == slot { check.add("slot \(slot) links to itself in layer \(layer)") }
            if !isNode(slotOfEntry) {
                check.add("slot \(slot) links to \(slotOfEntry), which is erased, in layer \(layer)")
            }
            if layer > 0, levels(slotOfEntry) < layer {
                check.add("slot \(slot) links to \(slotOfEntry) in layer \(layer), above its level")
            }
        }
    }

    func checkBottom(_ bottom: [[UInt32]], _ check: inout IndexCheck) {
        for (slot, list) in bottom.enumerated() { checkList(list, of: UInt32(slot), layer: 0, &check) }
    }

    func checkUpper(_ upper: [[UInt32]], _ check: inout IndexCheck) {
        for (list, owner) in zip(upper, lists.owners(levels)) {
            if list.contains(where: { $0 & Slot.treeMark != 0 }) {
                check.add("slot \(owner.slot) has a link of the tree in layer \(owner.layer)")
            }
            checkList(list, of: owner.slot, layer: owner.layer, &check)
        }
    }

    /// Entry point, counts, and the tree.
    func checkTree(_ bottom: [[UInt32]], _ check: inout IndexCheck) {
        var nodes: UInt32 = 0
        var top = 0
        for slot in 0..<state.linkedSlots where isNode(slot) {
            nodes += 1
            if isLive(slot) { top = max(top, levels(slot)) }
        }
        if nodes != state.nodeCount {
            check.add("the graph has \(nodes) nodes, the record says \(state.nodeCount)")
        }
        guard state.entryPoint != IndexState.noEntry else { return }
        if !isNode(state.entryPoint) { check.add("the entry point \(state.entryPoint) is erased") }
        if levels(state.entryPoint) != state.topLevel || state.topLevel < top {
            check.add(
                "the entry point has level \(levels(state.entryPoint)), there are nodes of level \(top)")
        }
        var isReached = [Bool](repeating: false, count: bottom.count)
        isReached[Int(state.entryPoint)] = true
        var waiting = [state.entryPoint]
        var reached: UInt32 = 1
        while let slot = waiting.popLast() {
            for entry in bottom[Int(slot)] where entry & Slot.treeMark != 0 {
                let child = entry & Slot.mask
                guard child < state.linkedSlots else { continue }
                if isReached[Int(child)] {
                    check.add("two links of the tree lead to slot \(child)")
                    continue
                }
                isReached[Int(child)] = true
                reached += 1
                waiting.append(child)
            }
        }
        if reached != nodes {
            let lost = (0..<state.linkedSlots).first { isNode($0) && !isReached[Int($0)] }
            check.add(
                "the entry point leads to \(reached) of \(nodes) nodes; not to slot \(lost.map(String.init) ?? "?")"
            )
        }
        let marks = bottom.reduce(0) { $0 + $1.count { $0 & Slot.treeMark != 0 } }
        if marks + 1 != Int(reached) { check.add("\(marks) links of the tree for \(reached) nodes") }
    }
}
