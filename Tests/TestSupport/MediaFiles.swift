import Foundation

/// Image files of 5 × 3 pixels that Pillow 12 wrote, and the beginnings of videos.
public enum MediaFiles {
    public static let png = decoded(
        "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAFElEQVR4nGM8IafBgASYGFABOh8AMeQBFNPbcbAAAAAASUVORK5CYII="
    )
    public static let progressiveJPEG = decoded(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9\
        //j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wgARCAADAAUDASIAAhEB\
        AxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAVAQEBAAAAAAAAAAAAAAAAAAACBP/aAAwDAQACEAMQAAABkDR//8QAFBABAAAAAAAAAAAAAAAAAAAA\
        AP/aAAgBAQABBQJ//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPwF//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwF//8QAFBABAAAA\
        AAAAAAAAAAAAAAAAAP/aAAgBAQAGPwJ//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPyF//9oADAMBAAIAAwAAABDz/8QAFBEBAAAAAAAAAAAA\
        AAAAAAAAAP/aAAgBAwEBPxB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxB//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxB//9k=
        """)
    public static let lossyWebP = decoded(
        "UklGRjQAAABXRUJQVlA4ICgAAABwAQCdASoFAAMABUB8JaACdAFAAAD+5s7MMJgnX/wQX8QX8QT7AAAA")
    public static let losslessWebP = decoded("UklGRh4AAABXRUJQVlA4TBEAAAAvBIAAAAdQjyIXpf+BiOh/AAA=")
    public static let extendedWebP = decoded(
        """
        UklGRmIAAABXRUJQVlA4WAoAAAAIAAAABAAAAgAAVlA4IC4AAACQAQCdASoFAAMAAUAmJaACdLoAA5gA/vFNr+LaR0KZD/7xn/9xn/9xn/yIAAAA\
        RVhJRg4AAABJSSoACAAAAAAAAAAAAA==
        """)
    /// A box that begins an MP4, without a frame.
    public static let mp4: [UInt8] = [0, 0, 0, 16] + Array("ftypisom".utf8) + [0, 0, 2, 0]

    /// A PNG that differs from others by its end, which is behind the image.
    public static func png(_ tag: UInt8) -> [UInt8] { png + [tag] }

    /// The same with other numbers of pixels in its header; its sum is not right then.
    public static func png(width: Int, height: Int) -> [UInt8] {
        var bytes = png
        for (place, value) in [(16, width), (20, height)] {
            for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index)) }
        }
        return bytes
    }

    private static func decoded(_ text: String) -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }
}
