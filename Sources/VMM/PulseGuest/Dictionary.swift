/// The words of text-like pages, each as 16 bytes: letters and a space, and in the last byte how
/// many bytes that is.
struct Dictionary {
    static let bytes: UInt64 = UInt64(count) * 16
    private static let count = 512

    private let entries: UnsafeMutablePointer<SIMD2<UInt64>>

    /// Builds the table in memory of the caller's, `bytes` long and zeroed.
    init(in memory: UnsafeMutableRawPointer) {
        entries = memory.bindMemory(to: SIMD2<UInt64>.self, capacity: Dictionary.count)
        var text = Text(words)
        for index in 0..<Dictionary.count {
            if text.isEmpty { text = Text(words) }
            let word = text.removePrefix(before: " ")
            for letter in 0..<word.count {
                memory.storeBytes(
                    of: word[letter], toByteOffset: index * 16 + letter, as: UInt8.self)
            }
            memory.storeBytes(
                of: UInt8(ascii: " "), toByteOffset: index * 16 + word.count, as: UInt8.self)
            memory.storeBytes(
                of: UInt8(word.count + 1), toByteOffset: index * 16 + 15, as: UInt8.self)
        }
    }

    /// The place of the next word, from that of the word before and 12 random bits. Half of all
    /// words are the one that always follows their predecessor, as phrases do; of the others a few
    /// are much more frequent than the rest. Both make the text compress like prose.
    func nextPlace(after previous: UInt64, draw: UInt64) -> UInt64 {
        let follows = 0 &- (draw >> 11 & 1)
        let narrowing = draw >> 9 & 3
        let any = draw & 511 >> (narrowing &* 2)
        return follows & (previous &* 5 &+ 7) & 127 | ~follows & any
    }

    subscript(place: UInt64) -> SIMD2<UInt64> {
        entries[Int(truncatingIfNeeded: place)]
    }

    /// Most frequent first; no word longer than 14 letters.
    private var words: StaticString {
        """
        the of and to in a is that for it as was with be by on not he his but at are this have \
        from or had an they which one you were all her she there would their we him been has \
        when who will no more if out so up said what its about than into them can only other \
        time new some could these two may first then do any like my now over such our man me \
        even most made after also did many off before must well back through years where much \
        your way down should because long each just state those people too mister how little \
        good world make very year still see own work men day get here between both life being \
        under three never know same last another while us might great old since against go came \
        right used take himself few house use place during high without again home around small \
        however found part school every upon does once general away hand number course left less \
        fact though water public put think almost enough took head yet government system set \
        better told nothing night end why called eyes find going look asked later point knew \
        next city business program give group toward days young let room president side social \
        present given several order rather possible national second face per among form \
        important often things looked early white case become large need four within felt along \
        children saw best church ever least power development light thing seemed family interest \
        want members mind area country others turned although open done problem service certain \
        different kind began door thus help means sense whole matter machine memory page host \
        bridge river market window garden winter summer morning evening thousand hundred million \
        office letter journal record account value measure weather station railway harbour \
        captain engine signal pressure current voltage circuit network packet message address \
        process kernel buffer storage library language sentence paragraph chapter volume history \
        science physics chemistry biology medicine doctor patient hospital teacher student \
        university professor research experiment theory result evidence analysis method practice \
        experience knowledge education training management production industry company product \
        material resource energy surface
        """
    }
}
