// Narrows `any Error` to the one type that a function throws.
//
// The compiler gives the `catch` of a `do` block `any Error` as soon as the calls in the block throw two types, even
// when every one of them is typed. The functions here turn that error back into the type that the function throws.
// An error of a type that the caller did not name is a mistake in this code, never in its input: it traps.

/// `error` itself when it is a `Failure`, and otherwise the result of `convert`.
///
///     } catch { throw typedError(error, converting: LinkError.system) }
package func typedError<Failure: Error, Cause: Error>(
    _ error: any Error, converting convert: (Cause) -> Failure
) -> Failure {
    switch error {
    case let error as Failure: return error
    case let error as Cause: return convert(error)
    default: trapOnUnexpectedError(error)
    }
}

/// As above, for blocks whose calls throw two types besides `Failure`.
package func typedError<Failure: Error, First: Error, Second: Error>(
    _ error: any Error, converting first: (First) -> Failure,
    convertingOther second: (Second) -> Failure
) -> Failure {
    switch error {
    case let error as Failure: return error
    case let error as First: return first(error)
    case let error as Second: return second(error)
    default: trapOnUnexpectedError(error)
    }
}

/// For a `catch` that handles every type that the calls of its block throw, which the compiler does not know.
package func trapOnUnexpectedError(_ error: any Error) -> Never {
    fatalError("an error of a type that no call in this block throws: \(error)")
}
