// Names in order, for lists that are read page by page.

import Model

struct SortedNames<Item: Name> {
    private(set) var items: [Item] = []

    init() {}
    init(_ items: some Sequence<Item>) { self.items = items.sorted() }

    mutating func insert(_ item: Item) {
        let index = place(of: item)
        if index < items.count, items[index] == item { return }
        items.insert(item, at: index)
    }

    mutating func remove(_ item: Item) {
        let index = place(of: item)
        if index < items.count, items[index] == item { items.remove(at: index) }
    }

    /// Those that come after a name, which need not be there itself.
    func after(_ item: Item?) -> ArraySlice<Item> {
        guard let item else { return items[...] }
        let index = place(of: item)
        return items[(index < items.count && items[index] == item ? index + 1 : index)...]
    }

    /// Of the first that is not before it.
    private func place(of item: Item) -> Int {
        var (low, high) = (0, items.count)
        while low < high {
            let middle = (low + high) / 2
            if items[middle] < item { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
