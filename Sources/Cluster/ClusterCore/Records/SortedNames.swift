// Names in order, for lists that are read page by page.

struct SortedNames<Item: Comparable> {
    private(set) var items: [Item] = []

    init() {}
    init(_ items: some Sequence<Item>) { self.items = items.sorted() }

    mutating func insertName(_ item: Item) {
        let index = insertionIndex(of: item)
        if index < items.count, items[index] == item { return }
        items.insert(item, at: index)
    }

    mutating func removeName(_ item: Item) {
        let index = insertionIndex(of: item)
        if index < items.count, items[index] == item { items.remove(at: index) }
    }

    /// The names after this one, which need not be there itself; all without one.
    func remainingNames(after item: Item?) -> ArraySlice<Item> {
        guard let item else { return items[...] }
        let index = insertionIndex(of: item)
        return items[(index < items.count && items[index] == item ? index + 1 : index)...]
    }

    /// The index of the first that is not before it.
    private func insertionIndex(of item: Item) -> Int {
        var (low, high) = (0, items.count)
        while low < high {
            let middle = (low + high) / 2
            if items[middle] < item { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
